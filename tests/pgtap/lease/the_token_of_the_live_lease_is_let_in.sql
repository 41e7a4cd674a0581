begin;
select plan(8);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;

select lives_ok('select ' || format(c.call, current_setting('test.token')), c.call)
from (
  values
  ($$auth_init_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', %s)$$),
  ($$auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}', p_lease_token => %s)$$),
  ($$auth_set_keys('acme', '{"session": {"1.0": 1}}', %s)$$),
  ($$auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 3}', '{}', %s)$$),
  ($$auth_import('acme', '{"format": 1, "keys": {}}', 'merge', %s)$$),
  ($$auth_clear_keys('acme', null, %s)$$),
  ($$auth_forget_history('acme', null, %s)$$),
  ($$auth_delete_company('acme', %s)$$)
) as c (call);

select * from finish();
rollback;
