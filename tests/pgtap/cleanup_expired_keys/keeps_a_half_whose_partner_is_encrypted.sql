begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"}}');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'or one half would outlive the other');

select * from finish();
rollback;
