-- What is in them cannot be read here, so nobody can say that they are paired.
begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '"sealed"');
select lives_ok($$select auth_save_creds('acme', '"sealed again"')$$, 'by encrypted ones');
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "n"}')$$, 'by plain ones');

select * from finish();
rollback;
