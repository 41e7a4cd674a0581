begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"');
select is(
  auth_export('acme'),
  '{
    "format": 1, "creds": "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA", "creds_updated_at": "2026-03-01T12:00:00.000000Z",
    "keys": {}, "times": {}
  }'::jsonb,
  'empty objects in their place'
);

select * from finish();
rollback;
