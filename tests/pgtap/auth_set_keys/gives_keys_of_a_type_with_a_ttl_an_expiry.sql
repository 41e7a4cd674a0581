begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "session": {"962302.0": 1}}');

select results_eq(
  'select key_type, expires_at from whatsapp_keys order by key_type',
  $$values ('lid-mapping' collate "C", timestamptz '2026-03-08 12:00:00Z'), ('session', null)$$,
  'updated_at and the ttl; the others never expire'
);

select * from finish();
rollback;
