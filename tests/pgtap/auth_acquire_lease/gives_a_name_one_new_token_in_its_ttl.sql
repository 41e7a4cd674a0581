begin;
-- Two live processes of one name would take turns, each fencing the other.
\ir ../refuses.psql
select plan(5);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select set_config('auth_state.now', '2026-03-01 12:00:10Z', true);
select set_config('test.token', l.token::text, true)
from auth_acquire_lease('acme', 'worker-1') as l
where l.acquired;
select set_config('auth_state.now', '2026-03-01 12:00:20Z', true);
select results_eq(
  $$select * from auth_acquire_lease('acme', 'worker-1')$$,
  $$values (false, null::bigint, 'worker-1', timestamptz '2026-03-01 12:01:10Z')$$,
  'then it is told that its own name holds the lease'
);
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'the token that was given stays good');
select lives_ok(format($$select auth_renew_lease('acme', %s)$$, current_setting('test.token')), 'for as long as it is renewed');
select set_config('auth_state.now', '2026-03-01 12:01:09Z', true);
select ok(not (select l.acquired from auth_acquire_lease('acme', 'worker-1') as l), 'until the ttl is over');
select pg_temp.refuses($$select auth_set_keys('acme', '{}')$$, 'WA002', 'worker-1', 'nobody else writes');

select * from finish();
rollback;
