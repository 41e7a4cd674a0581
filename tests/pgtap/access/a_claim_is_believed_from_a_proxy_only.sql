begin;
\ir ../refuses.psql
select plan(1);

create role tenant_login login in role auth_state_tenant;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
set local session authorization tenant_login;
select set_config('request.jwt.claims', '{"company_id": "acme"}', true);
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'anybody can set it');

select * from finish();
rollback;
