begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"session": {"1.0": {"a": 1}}}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);

select is(auth_set_keys('acme', '{"session": {"1.0": {"b": 2}}}'), 1, 'one row changed');
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": {"b": 2}}'::jsonb, 'whole, nothing is merged');
select results_eq(
  'select created_at, updated_at from whatsapp_keys',
  $$values (timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-02 12:00:00Z')$$,
  'created_at stays, updated_at moves'
);

select * from finish();
rollback;
