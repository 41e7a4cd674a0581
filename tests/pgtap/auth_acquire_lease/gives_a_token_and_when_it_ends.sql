begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);

select results_eq(
  $$select l.acquired, l.token is not null, l.holder, l.expires_at from auth_acquire_lease('acme', 'worker-1', '5 minutes') as l$$,
  $$values (true, true, 'worker-1', timestamptz '2026-03-01 12:05:00Z')$$,
  'one row'
);
select results_eq(
  $$select l.expires_at from auth_acquire_lease('globex', 'worker-1') as l$$,
  $$values (timestamptz '2026-03-01 12:01:00Z')$$,
  '60 seconds unless said otherwise'
);

select * from finish();
rollback;
