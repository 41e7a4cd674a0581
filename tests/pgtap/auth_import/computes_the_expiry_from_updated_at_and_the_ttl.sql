begin;
select plan(1);

set local role app;
select auth_import(
  'acme',
  '{"format": 1, "keys": {"lid-mapping": {"962302": "118"}, "session": {"1.0": 1}}, "times": {
    "lid-mapping": {"962302": ["2026-03-01T12:00:00Z", null]},
    "session": {"1.0": ["2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"]}
  }}'
);
select is(
  auth_export('acme') -> 'times',
  '{
    "lid-mapping": {"962302": ["2026-03-01T12:00:00.000000Z", "2026-03-08T12:00:00.000000Z"]},
    "session": {"1.0": ["2026-03-01T12:00:00.000000Z", null]}
  }'::jsonb,
  'always updated_at and the ttl that is set here, whatever it was there'
);

select * from finish();
rollback;
