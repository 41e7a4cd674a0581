begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_ttl('device-list', '30 days');
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}, "session": {"1.0": 1}}');

select results_eq(
  $$select expires_at from auth_list_keys('acme', 'device-list')$$, array[timestamptz '2026-03-31 12:00:00Z'],
  'that are written from now on'
);
select results_eq($$select expires_at from auth_list_keys('acme', 'session')$$, array[null::timestamptz], 'no other type');

select * from finish();
rollback;
