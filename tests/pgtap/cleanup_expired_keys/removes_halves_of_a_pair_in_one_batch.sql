begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302", "962303": "119", "119_reverse": "962303"}}');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);
select is(cleanup_expired_keys(3), 2::bigint, 'a pair that does not fit waits');
select is(cleanup_expired_keys(3), 2::bigint, 'for the next');

select * from finish();
rollback;
