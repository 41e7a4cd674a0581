begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}}');
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);
select auth_set_ttl('device-list', '30 days');
select is(cleanup_expired_keys(), 1::bigint, 'keys that were written before it was set');

select * from finish();
rollback;
