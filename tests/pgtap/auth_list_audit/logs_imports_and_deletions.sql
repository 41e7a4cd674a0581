begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_import(
  'acme',
  '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i"}, "keys": {"session": {"1.0": 1, "2.0": 1}, "pre-key": {"1": 1}}}'
);
select auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i"}, "keys": {"session": {"1.0": 1}}}', 'merge');
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_clear_keys('acme', 'pre-key');
select auth_clear_keys('acme', 'pre-key');
select set_config('auth_state.now', '2026-03-01 12:00:02Z', true);
select auth_delete_company('acme');
select auth_delete_company('acme');
select results_eq(
  $$select a.action, a.rows, a.details from auth_list_audit('acme') as a$$,
  $$
    values
    ('company_deleted', 3::bigint, null::jsonb), ('keys_cleared', 1, '{"key_type": "pre-key"}'), ('imported', 4, '{"mode": "new"}')
  $$,
  'with their counts, where there was something'
);

select * from finish();
rollback;
