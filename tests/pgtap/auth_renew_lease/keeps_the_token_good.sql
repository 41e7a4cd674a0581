begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:00:40Z', true);
select auth_renew_lease('acme', current_setting('test.token')::bigint, '60 seconds');
select set_config('auth_state.now', '2026-03-01 12:01:20Z', true);

select lives_ok(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'past the end it had before'
);

select * from finish();
rollback;
