begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"96_302": "1_8"}, "session": {"961302.0": 1, "118_1.0": 1}}');
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select is(cleanup_expired_keys(), 1::bigint, '_ stands for itself');

select * from finish();
rollback;
