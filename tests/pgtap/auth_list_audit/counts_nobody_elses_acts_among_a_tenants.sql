begin;
-- Whoever takes a tenant's login could hide behind a full log what others do, and what it does itself.
select plan(2);

create role bound_bot login;
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select count(l.token) from generate_series(1, 150) as i cross join auth_acquire_lease('acme', 'worker-' || i, p_steal => true) as l;
set local role app;
select l.acquired from auth_acquire_lease('acme', 'operator', p_steal => true) as l;
select set_config('auth_state.on_behalf_of', 'ann', true);
select l.acquired from auth_acquire_lease('acme', 'operator of ann', p_steal => true) as l;
reset role;
select is(
  (
    select string_agg(concat_ws(' ', a.role, a.on_behalf_of, a.holder), ', ' order by a.holder)
    from auth_list_audit('acme', p_limit => 10000) as a
    where a.action = 'lease_stolen' and a.role <> 'bound_bot'
  ),
  'app operator, app ann operator of ann', 'each has a row of its own'
);
select is(
  (
    select count(*) from auth_list_audit('acme', p_limit => 10000) as a
    where a.role = 'bound_bot' and a.action = 'lease_stolen'
  ),
  100::bigint, 'the tenant has as many as it may'
);

select * from finish();
rollback;
