begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select * from auth_acquire_lease('acme', 'worker-2', p_steal => true);

select results_eq(
  $$select l.token from auth_acquire_lease('acme', 'worker-1', p_steal => true) as l$$,
  $$values (1772366400000002)$$,
  'the previous one and one'
);

select * from finish();
rollback;
