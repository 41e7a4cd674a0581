begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "119_reverse": "962303"}}');
select auth_set_keys('globex', '{"lid-mapping": {"118_reverse": "962302", "962303": "119"}}');
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select is(cleanup_expired_keys(), 4::bigint, 'the same number in another company is no partner');

select * from finish();
rollback;
