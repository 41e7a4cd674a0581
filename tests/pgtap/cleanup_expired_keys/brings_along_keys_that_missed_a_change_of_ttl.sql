-- A row that a writer held while its ttl was changed bears the expiry of before.
begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}}');
select auth_set_ttl('device-list', '30 days');
update whatsapp_keys set expires_at = null;
select cleanup_expired_keys();

select results_eq(
  'select expires_at from whatsapp_keys', array[timestamptz '2026-03-31 12:00:00Z'], 'when there is nothing else to do'
);

select * from finish();
rollback;
