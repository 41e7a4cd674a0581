begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;

select set_config('auth_state.now', '2026-03-01 12:00:59.999999Z', true);
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'a microsecond before');
select set_config('auth_state.now', '2026-03-01 12:01:00Z', true);
select lives_ok($$select auth_set_keys('acme', '{}')$$, 'at its end anybody may write');

select * from finish();
rollback;
