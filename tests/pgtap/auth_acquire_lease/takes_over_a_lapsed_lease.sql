begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1', '60 seconds');
select set_config('auth_state.now', '2026-03-01 12:01:00Z', true);

select results_eq(
  $$select l.acquired, l.holder from auth_acquire_lease('acme', 'worker-2') as l$$,
  $$values (true, 'worker-2')$$,
  'from the moment it ends'
);

select * from finish();
rollback;
