begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-03-08 11:59:59.999999Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'not a microsecond before');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select is(cleanup_expired_keys(), 1::bigint, 'at its expiry');

select * from finish();
rollback;
