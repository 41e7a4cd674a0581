begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_import(
  'acme',
  '{
    "format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i"}, "creds_updated_at": "2036-03-01T12:00:00Z",
    "keys": {"session": {"1.0": 1}}, "times": {"session": {"1.0": ["2036-03-01T12:00:00Z", null]}}
  }'
);
select is(
  auth_export('acme') - 'format' - 'creds' - 'keys',
  '{"creds_updated_at": "2026-03-01T12:00:00.000000Z", "times": {"session": {"1.0": ["2026-03-01T12:00:00.000000Z", null]}}}'::jsonb,
  'it is now'
);

select * from finish();
rollback;
