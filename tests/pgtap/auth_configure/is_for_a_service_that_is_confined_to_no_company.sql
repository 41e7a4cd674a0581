begin;
select plan(7);

create role bound_bot login;
grant auth_state_service to bound_bot;
create role watcher in role auth_state_monitor;
create role tenant in role auth_state_tenant;
create role stranger;
select auth_bind_role('bound_bot', 'acme');
create function pg_temp.tries(p_role text) returns text language plpgsql as $$
begin
  execute format('set local role %I', p_role);
  perform auth_configure('history_versions', '7');
  return null;
exception
  when others then
    return sqlstate;
end
$$;
select is(pg_temp.tries(r.name), '42501', r.name)
from unnest(array['bound_bot', 'watcher', 'tenant', 'stranger', 'auth_state_owner']) as r (name);
select set_config('auth_state.company_id', 'acme', true);
select is(pg_temp.tries('app'), '42501', 'a back end that confined itself');
select set_config('auth_state.company_id', '', true);
select is(pg_temp.tries('app'), null, 'a back end');

select * from finish();
rollback;
