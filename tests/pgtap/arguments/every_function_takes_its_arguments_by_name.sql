begin;
select plan(32);

create role app_2;
set local role app;

select lives_ok('select * from ' || c.call, c.call)
from (
  values
  ($$auth_init_creds(p_company_id => 'acme', p_creds => '{"noiseKey": "n", "signedIdentityKey": "i"}', p_lease_token => null)$$),
  ($$auth_get_creds(p_company_id => 'acme')$$),
  ($$auth_save_creds(
    p_company_id => 'acme', p_creds => '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', p_expected_version => null, p_lease_token => null, p_allow_new_identity => false
  )$$),
  ($$auth_creds_version(p_company_id => 'acme')$$),
  ($$auth_get_keys(p_company_id => 'acme', p_keys => '{}')$$),
  ($$auth_get_keys(p_company_id => 'acme', p_key_type => 'session', p_key_ids => '{}')$$),
  ($$auth_set_keys(p_company_id => 'acme', p_data => '{}', p_lease_token => null)$$),
  ($$auth_save_state(
    p_company_id => 'acme', p_creds => '{"noiseKey": "n", "signedIdentityKey": "i"}', p_data => '{}', p_lease_token => null, p_expected_version => null,
    p_allow_new_identity => false
  )$$),
  ($$auth_list_keys(p_company_id => 'acme', p_key_type => 'session', p_after => null, p_limit => 1, p_values => true)$$),
  ($$auth_list_companies(p_after => null, p_limit => 1)$$),
  ($$auth_export(p_company_id => 'acme')$$),
  ($$auth_import(
    p_company_id => 'globex', p_state => '{"format": 1, "keys": {}}', p_mode => 'new', p_lease_token => null,
    p_allow_new_identity => false
  )$$),
  ($$auth_clear_keys(p_company_id => 'acme', p_key_type => null, p_lease_token => null)$$),
  ($$auth_delete_company(p_company_id => 'acme', p_lease_token => null)$$),
  ($$cleanup_expired_keys(p_batch_size => 1, p_dry_run => true, p_company_id => null)$$),
  ($$auth_configure(p_name => 'history_versions', p_value => null)$$),
  ($$auth_set_ttl(p_key_type => 'device-list', p_ttl => null, p_force => false)$$),
  ($$auth_acquire_lease(p_company_id => 'acme', p_holder => 'me', p_ttl => '1 minute', p_steal => false, p_token => null)$$),
  ($$auth_release_lease(p_company_id => 'acme', p_token => 1)$$),
  ($$auth_stats(p_company_id => null)$$),
  ($$auth_schema_version()$$),
  ($$auth_cleanup_job()$$),
  ($$auth_status()$$),
  ($$auth_creds_history(p_company_id => 'acme')$$),
  ($$auth_forget_history(p_company_id => 'globex', p_kept_kid => null, p_lease_token => null)$$),
  ($$auth_list_leases(p_after => null, p_limit => 1)$$),
  ($$auth_list_audit(p_company_id => null, p_before => null, p_limit => 1)$$),
  ($$auth_bind_role(p_role_name => 'app_2', p_company_id => 'acme')$$),
  ($$auth_unbind_role(p_role_name => 'app_2')$$)
) as c (call);
select throws_ok(
  $$select auth_restore_creds(p_company_id => 'initech', p_version => 1, p_lease_token => null)$$, 'WA004', null, 'auth_restore_creds'
);
select throws_ok($$select auth_renew_lease(p_company_id => 'acme', p_token => 1, p_ttl => '1 minute')$$, 'WA002', null, 'auth_renew_lease');
select throws_ok($$select auth_schedule_cleanup(p_schedule => '')$$, 'WA001', null, 'auth_schedule_cleanup');

select * from finish();
rollback;
