begin;
select plan(1);

set local role app;
select set_config('timezone', 'Asia/Amman', true);
select set_config('auth_state.now', '2026-03-01 12:00:00.123456Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "session": {"1.0": {"a": 1}, "2.0": [2]}}');
select auth_set_keys('globex', '{"session": {"3.0": 1}}');

select is(
  auth_export('acme'),
  '{
    "format": 1,
    "creds": {"noiseKey": "n", "signedIdentityKey": "i"},
    "creds_updated_at": "2026-03-01T12:00:00.123456Z",
    "keys": {"lid-mapping": {"962302": "118"}, "session": {"1.0": {"a": 1}, "2.0": [2]}},
    "times": {
      "lid-mapping": {"962302": ["2026-03-02T12:00:00.000000Z", "2026-03-09T12:00:00.000000Z"]},
      "session": {"1.0": ["2026-03-02T12:00:00.000000Z", null], "2.0": ["2026-03-02T12:00:00.000000Z", null]}
    }
  }'::jsonb,
  'times as UTC text, whatever the session''s time zone'
);

select * from finish();
rollback;
