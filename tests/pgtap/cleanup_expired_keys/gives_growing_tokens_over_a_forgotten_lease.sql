begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);
select cleanup_expired_keys();
select ok(
  (select l.token > current_setting('test.token')::bigint from auth_acquire_lease('acme', 'worker-1') as l), 'the clock went on'
);

select * from finish();
rollback;
