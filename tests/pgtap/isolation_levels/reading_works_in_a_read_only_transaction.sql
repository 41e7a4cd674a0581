begin;
select plan(12);

select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
set local role app;
set local transaction_read_only = on;

select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'auth_get_creds finds what is there');
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'auth_get_keys too');
select lives_ok('select * from ' || c.call, c.call)
from (
  values
  ($$auth_creds_version('acme')$$),
  ($$auth_get_keys('acme', '{"session": ["1.0"]}')$$),
  ($$auth_list_keys('acme', 'session')$$),
  ($$auth_list_companies()$$),
  ($$auth_export('acme')$$),
  ($$auth_stats()$$),
  ($$auth_status()$$),
  ($$auth_schema_version()$$),
  ($$auth_cleanup_job()$$),
  ($$cleanup_expired_keys(p_dry_run => true)$$)
) as c (call);

select * from finish();
rollback;
