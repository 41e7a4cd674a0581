begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');

select set_config('auth_state.now', '2026-03-02 11:59:59Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select is((select expires_at from whatsapp_keys), '2026-03-08 12:00:00Z', 'not within a day');

select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select is(auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}'), 0, 'after a day, and it is not counted');
select results_eq(
  'select created_at, updated_at, expires_at from whatsapp_keys',
  $$values (timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-02 12:00:00Z', timestamptz '2026-03-09 12:00:00Z')$$,
  'always updated_at and the ttl'
);

select * from finish();
rollback;
