begin;
set local transaction_isolation = 'repeatable read';
\ir ../refuses.psql
select plan(19);

set local role app;

select pg_temp.refuses('select * from ' || c.call, 'WA006', null, c.call)
from (
  values
  ($$auth_init_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}}')$$),
  ($$auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}')$$),
  ($$auth_clear_keys('acme')$$),
  ($$auth_delete_company('acme')$$),
  ($$auth_import('acme', '{"format": 1, "creds": {"noiseKey": "S3CRET", "signedIdentityKey": "i"}, "keys": {}}')$$),
  ($$auth_acquire_lease('acme', 'me')$$),
  ($$auth_renew_lease('acme', 1)$$),
  ($$auth_release_lease('acme', 1)$$),
  ($$auth_restore_creds('acme', 1)$$),
  ($$auth_forget_history('acme')$$),
  ($$auth_bind_role('app', 'acme')$$),
  ($$auth_unbind_role('app')$$),
  ($$cleanup_expired_keys()$$),
  ($$cleanup_expired_keys(p_company_id => 'acme')$$),
  ($$auth_set_ttl('device-list', '1 day')$$),
  ($$auth_configure('history_versions', '7')$$),
  ($$auth_acquire_lease('acme', 'me', p_token => 1)$$)
) as c (call);

select * from finish();
rollback;
