begin;
\ir ../refuses.psql
select plan(9);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select * from auth_acquire_lease('acme', 'worker-2', p_steal => true);

select pg_temp.refuses('select ' || format(c.call, current_setting('test.token')), 'WA002', 'worker-2', c.call)
from (
  values
  ($$auth_init_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', %s)$$),
  ($$auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', p_lease_token => %s)$$),
  ($$auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}}', %s)$$),
  ($$auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}', %s)$$),
  ($$auth_import('acme', '{"format": 1, "creds": {"noiseKey": "S3CRET", "signedIdentityKey": "i"}, "keys": {}}', 'merge', %s)$$),
  ($$auth_clear_keys('acme', null, %s)$$),
  ($$auth_forget_history('acme', null, %s)$$),
  ($$auth_delete_company('acme', %s)$$),
  ($$auth_renew_lease('acme', %s)$$)
) as c (call);

select * from finish();
rollback;
