begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}, "session": {"962302.0": 1}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select cleanup_expired_keys();
select auth_set_keys('acme', '{"session": {"962302.0": null}}');

select set_config('auth_state.now', '2026-03-15 11:59:59Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'not before the ttl it was renewed for');
select set_config('auth_state.now', '2026-03-15 12:00:00Z', true);
select is(cleanup_expired_keys(), 2::bigint, 'both halves, then');

select * from finish();
rollback;
