begin;
\ir ../refuses.psql
select plan(3);

create role bound_bot login;
set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'its own');
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'another');
select pg_temp.refuses($$select auth_get_creds('no such company')$$, '42501', null, 'one that is not there');

select * from finish();
rollback;
