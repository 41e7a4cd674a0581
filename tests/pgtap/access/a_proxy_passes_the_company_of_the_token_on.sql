begin;
\ir ../refuses.psql
select plan(6);

create role pgrst_login login noinherit;
create role pgrst_user;
grant auth_state_proxy to pgrst_login;
grant pgrst_user to pgrst_login;
grant auth_state_tenant to pgrst_user;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
set local session authorization pgrst_login;
set local role pgrst_user;
select set_config('request.jwt.claims', '{"role": "pgrst_user", "company_id": "acme"}', true);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'at the top');
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'no other company');
select set_config('request.jwt.claims', '{"app_metadata": {"company_id": "acme"}}', true);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'in app_metadata');
select set_config('request.jwt.claims', '{"company_id": "acme", "app_metadata": {"company_id": "globex"}}', true);
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'two that differ are none');
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'neither of them');
select set_config('request.jwt.claims', '{"user_metadata": {"company_id": "acme"}}', true);
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'user_metadata is the user''s own to change');

select * from finish();
rollback;
