begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"1": "a", "2": "b", "3": "c"}}');
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);
select is(cleanup_expired_keys(2, true), 2::bigint, 'what the next call would remove');
select is(cleanup_expired_keys(2), 2::bigint, 'as it does');

select * from finish();
rollback;
