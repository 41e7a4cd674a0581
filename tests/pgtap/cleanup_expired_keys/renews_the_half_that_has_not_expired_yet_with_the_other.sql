begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "session": {"962302.0": 1}}');
select set_config('auth_state.now', '2026-03-04 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"118_reverse": "962302"}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select cleanup_expired_keys();
select set_config('auth_state.now', '2026-03-11 12:00:00Z', true);
select auth_set_keys('acme', '{"session": {"962302.0": null}}');
select is(cleanup_expired_keys(), 0::bigint, 'neither half goes while the other lives');

select * from finish();
rollback;
