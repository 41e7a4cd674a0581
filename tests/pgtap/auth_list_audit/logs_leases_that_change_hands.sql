begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_acquire_lease('acme', 'worker-1');
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_acquire_lease('acme', 'worker-1');
select auth_acquire_lease('acme', 'worker-2');
select set_config('auth_state.now', '2026-03-01 12:00:02Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-2', p_steal => true) as l;
select auth_renew_lease('acme', current_setting('test.token')::bigint);
select set_config('auth_state.now', '2026-03-01 12:00:03Z', true);
select auth_release_lease('acme', current_setting('test.token')::bigint);
select auth_release_lease('acme', current_setting('test.token')::bigint);
select results_eq(
  $$select a.action, a.holder, a.details ->> 'from' from auth_list_audit('acme') as a$$,
  $$values ('lease_released', 'worker-2', null), ('lease_stolen', 'worker-2', 'worker-1'), ('lease_acquired', 'worker-1', null)$$,
  'not renewals, restarts and refusals'
);

select * from finish();
rollback;
