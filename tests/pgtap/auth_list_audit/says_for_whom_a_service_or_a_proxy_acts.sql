begin;
select plan(4);

create role pgrst_login login noinherit;
create role pgrst_user in role auth_state_tenant;
grant auth_state_proxy to pgrst_login;
grant pgrst_user to pgrst_login;
select set_config('auth_state.on_behalf_of', 'user 7', true);
set local session authorization app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.company_id', 'globex', true);
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.company_id', '', true);
set local session authorization pgrst_login;
set local role pgrst_user;
select set_config('request.jwt.claims', '{"company_id": "initech"}', true);
select auth_save_creds('initech', '{"noiseKey": "n", "signedIdentityKey": "i"}');
set local session authorization app;
select set_config('auth_state.on_behalf_of', '', true);
select auth_save_creds('umbrella', '{"noiseKey": "n", "signedIdentityKey": "i"}');
reset session authorization;
select is((select a.on_behalf_of from auth_list_audit(c.id) as a), c.whom, c.name)
from (
  values
  ('acme', 'user 7', 'a service'), ('globex', 'user 7', 'a service that confined itself'), ('initech', 'user 7', 'a proxy'),
  ('umbrella', null, 'nobody is nobody')
) as c (id, whom, name);

select * from finish();
rollback;
