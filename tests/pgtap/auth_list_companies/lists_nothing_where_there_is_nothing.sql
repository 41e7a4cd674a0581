begin;
select plan(2);

set local role app;
select is_empty('select * from auth_list_companies()', 'a fresh database');
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select is_empty($$select * from auth_list_companies('acme')$$, 'after the last company');

select * from finish();
rollback;
