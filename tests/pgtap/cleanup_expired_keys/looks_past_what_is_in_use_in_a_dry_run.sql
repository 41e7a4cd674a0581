-- What a dry run finds first may all be in use; the call itself renews that and goes on.
begin;
select plan(2);

set local role app;
select auth_set_ttl('device-list', '30 days');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"1": 1}, "lid-mapping": {"962302": "118", "962303": "119"}}');
select auth_set_keys('acme', '{"session": {"962302.0": 1, "962303.0": 1}}');
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);
select is(cleanup_expired_keys(2, true), 1::bigint, 'what the next call would remove');
select is(cleanup_expired_keys(2), 1::bigint, 'as it does');

select * from finish();
rollback;
