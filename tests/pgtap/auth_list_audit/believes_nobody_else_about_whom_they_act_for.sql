begin;
select plan(3);

create role bound_bot login;
create role bound_backend login in role auth_state_service;
create role bound_proxy login in role auth_state_proxy;
select auth_bind_role(r.name, 'acme') from unnest(array['bound_bot', 'bound_backend', 'bound_proxy']::name[]) as r (name);
select set_config('auth_state.on_behalf_of', 'the boss', true);
select set_config('request.jwt.claims', '{"company_id": "acme"}', true);
set local session authorization bound_bot;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
set local session authorization bound_backend;
select count(l.token) from auth_acquire_lease('acme', 'worker-1') as l;
set local session authorization bound_proxy;
select count(l.token) from auth_acquire_lease('acme', 'worker-2', p_steal => true) as l;
reset session authorization;
select results_eq(
  $$select a.login, a.on_behalf_of from auth_list_audit('acme') as a where a.action <> 'role_bound' order by 1$$,
  $$values ('bound_backend'::name, null::text), ('bound_bot', null), ('bound_proxy', null)$$,
  'a bound login, whatever else it is'
);

-- Nor a tenant by its claims or by its own setting, where no proxy logged in.
create role tenant_login login in role auth_state_tenant;
create role backend login in role auth_state_service;
grant auth_state_tenant to backend;
set local session authorization tenant_login;
select throws_ok(
  $$select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, '42501', null, 'a tenant without a proxy'
);
set local session authorization backend;
set local role auth_state_tenant;
select set_config('auth_state.company_id', 'globex', true);
select set_config('request.jwt.claims', '', true);
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i"}');
reset role;
reset session authorization;
select set_config('auth_state.company_id', '', true);
select is((select a.on_behalf_of from auth_list_audit('globex') as a), null, 'a back end as a tenant');

select * from finish();
rollback;
