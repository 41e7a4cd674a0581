begin;
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"1": []}}');
select auth_set_ttl('device-list', '1 day');
select auth_set_ttl('device-list', '1 day');
select set_config('auth_state.now', '2026-03-03 12:00:00Z', true);
select cleanup_expired_keys();
select cleanup_expired_keys();
select results_eq(
  $$select a.company_id, a.action, a.rows, a.details from auth_list_audit() as a$$,
  $$
    values
    (null, 'cleanup', 1::bigint, null::jsonb), (null, 'ttl_changed', 1::bigint, '{"ttl": "1 day", "key_type": "device-list"}'::jsonb)
  $$,
  'changes of a ttl, and cleanups that removed something'
);
select is_empty($$select * from auth_list_audit('acme')$$, 'not as the company''s');

select * from finish();
rollback;
