begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_ttl('device-list', '30 days');
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"device-list": {"962302": ["0"], "962303": ["0"]}, "session": {"962302.0": 1}}'
);
select auth_set_keys('globex', '{"device-list": {"962302": ["0"]}}');
select set_config('auth_state.now', '2026-03-10 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"962303": ["0", "1"]}}');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(cleanup_expired_keys(), 2::bigint, 'of all companies, and returns how many');
select is(
  auth_export('acme') -> 'keys', '{"device-list": {"962303": ["0", "1"]}, "session": {"962302.0": 1}}'::jsonb,
  'what was written since stays'
);
select is(cleanup_expired_keys(), 0::bigint, 'then there is nothing left to do');

select * from finish();
rollback;
