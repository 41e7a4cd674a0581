begin;
\ir ../refuses.psql
select plan(33);

create role stranger;
grant usage on schema public to stranger;
grant execute on all functions in schema public to stranger;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
set local role stranger;

select pg_temp.refuses('select * from ' || c.call, '42501', null, c.call)
from (
  values
  ($$auth_get_creds('acme')$$),
  ($$auth_init_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_creds_version('acme')$$),
  ($$auth_get_keys('acme', '{}')$$),
  ($$auth_get_keys('acme', 'session', '{}')$$),
  ($$auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}}')$$),
  ($$auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}')$$),
  ($$auth_list_keys('acme', 'session')$$),
  ($$auth_list_companies()$$),
  ($$auth_clear_keys('acme')$$),
  ($$auth_delete_company('acme')$$),
  ($$auth_export('acme')$$),
  ($$auth_import('acme', '{"format": 1, "keys": {}}')$$),
  ($$cleanup_expired_keys()$$),
  ($$cleanup_expired_keys(p_company_id => 'acme')$$),
  ($$auth_set_ttl('device-list', '1 day')$$),
  ($$auth_configure('history_versions', '7')$$),
  ($$auth_schedule_cleanup()$$),
  ($$auth_acquire_lease('acme', 'me')$$),
  ($$auth_renew_lease('acme', 1)$$),
  ($$auth_release_lease('acme', 1)$$),
  ($$auth_stats('acme')$$),
  ($$auth_stats()$$),
  ($$auth_status()$$),
  ($$auth_creds_history('acme')$$),
  ($$auth_restore_creds('acme', 1)$$),
  ($$auth_forget_history('acme')$$),
  ($$auth_list_leases()$$),
  ($$auth_list_audit()$$),
  ($$auth_list_audit('acme')$$),
  ($$auth_bind_role('stranger', 'acme')$$),
  ($$auth_unbind_role('stranger')$$)
) as c (call);

select * from finish();
rollback;
