begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "119"}}');

select results_eq(
  'select updated_at, expires_at from whatsapp_keys',
  $$values (timestamptz '2026-03-01 12:00:01Z', timestamptz '2026-03-08 12:00:01Z')$$,
  'it is updated_at and the ttl'
);

select * from finish();
rollback;
