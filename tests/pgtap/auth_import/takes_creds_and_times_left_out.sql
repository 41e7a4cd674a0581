begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select is(auth_import('acme', '{"format": 1, "keys": {"lid-mapping": {"962302": "118"}}}'), 1::bigint, 'no creds, no times');
select is(
  auth_export('acme') -> 'times',
  '{"lid-mapping": {"962302": ["2026-03-01T12:00:00.000000Z", "2026-03-08T12:00:00.000000Z"]}}'::jsonb,
  'then it is now'
);

select * from finish();
rollback;
