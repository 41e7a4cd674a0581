begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('globex', '{"session": {"962302.0": 1, "118_1.0": 1}}');
select auth_set_keys(
  'acme',
  '{
    "lid-mapping": {"962302": "118", "118_reverse": "962302"},
    "session": {"96230.0": 1, "9623021.0": 1, "1962302.0": 1, "962302": 1, "118": 1, "1180_1.0": 1, "11_1.0": 1, "8_1.0": 1},
    "sender-key": {"962302.0": 1}, "identity-key": {"962302.0": 1, "118_1.0": 1}, "device-list": {"962302": 1}
  }'
);
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select is(cleanup_expired_keys(), 2::bigint, 'of a longer or shorter number, of another type or company');

select * from finish();
rollback;
