begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(
  auth_export('acme'),
  '{
    "format": 1, "creds": null, "creds_updated_at": null,
    "keys": {"session": {"1.0": 1}}, "times": {"session": {"1.0": ["2026-03-01T12:00:00.000000Z", null]}}
  }'::jsonb,
  'null in their place'
);

select * from finish();
rollback;
