begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}',
  '{"session": {"1.0": 1}, "pre-key": {"1": 1}, "app-state-sync-key": {"AAAA": 1}}'
);
select set_config('auth_state.now', '2126-03-01 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'after a hundred years');
select is(
  auth_export('acme') #- '{times}' -> 'keys',
  '{"session": {"1.0": 1}, "pre-key": {"1": 1}, "app-state-sync-key": {"AAAA": 1}}'::jsonb,
  'all of it is there'
);

select * from finish();
rollback;
