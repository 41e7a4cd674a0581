begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('auth_state.now', '2026-03-01 12:00:30Z', true);

select results_eq(
  $$select * from auth_acquire_lease('acme', 'worker-2', '5 minutes')$$,
  $$values (false, null::bigint, 'worker-1', timestamptz '2026-03-01 12:01:00Z')$$,
  'one row: not acquired, no token, theirs'
);
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'and theirs goes on');

select * from finish();
rollback;
