begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_release_lease('acme', l.token) from auth_acquire_lease('acme', 'worker-1') as l;

select results_eq(
  $$select l.token from auth_acquire_lease('acme', 'worker-2') as l$$,
  $$values (1772366400000001)$$,
  'even within one microsecond'
);

select * from finish();
rollback;
