begin;
\ir ../refuses.psql
select plan(8);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select * from auth_acquire_lease('acme', 'worker-1');

select pg_temp.refuses('select ' || c.call, 'WA002', 'worker-1', c.call)
from (
  values
  ($$auth_init_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}}')$$),
  ($$auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}')$$),
  ($$auth_clear_keys('acme')$$),
  ($$auth_forget_history('acme')$$),
  ($$auth_delete_company('acme')$$),
  ($$auth_import('acme', '{"format": 1, "creds": {"noiseKey": "S3CRET", "signedIdentityKey": "i"}, "keys": {}}', 'merge')$$)
) as c (call);

select * from finish();
rollback;
