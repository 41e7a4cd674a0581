-- What is in them cannot be read here, so nobody can say that they are paired.
begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"');
select lives_ok($$select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.BBBB.AAAA"')$$, 'by encrypted ones');
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, 'by plain ones');

select * from finish();
rollback;
