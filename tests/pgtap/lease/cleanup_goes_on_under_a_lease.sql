begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select is(cleanup_expired_keys(), 1::bigint, 'it is no writer that could overwrite anything');

select * from finish();
rollback;
