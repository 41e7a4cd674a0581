begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00.000001Z', true);

select results_eq(
  $$select l.token from auth_acquire_lease('acme', 'worker-1') as l$$,
  $$values (1772366400000001)$$,
  'so that no record of earlier ones is needed'
);

select * from finish();
rollback;
