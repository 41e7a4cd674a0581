begin;
select plan(3);

set local role app;
select auth_set_ttl('device-list', '30 days');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"1": 1, "2": 1, "3": 1}, "lid-mapping": {"962302": "118"}, "session": {"962302.0": 1}}');
select set_config('test.export', auth_export('acme')::text, true);
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);

select is(cleanup_expired_keys(p_dry_run => true), 3::bigint, 'it returns how many would go');
select is(auth_export('acme'), current_setting('test.export')::jsonb, 'removes nothing and renews nothing');
select is(cleanup_expired_keys(), 3::bigint, 'and the call that follows removes as many');

select * from finish();
rollback;
