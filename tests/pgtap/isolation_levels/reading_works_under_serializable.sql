begin;
set local transaction_isolation = 'serializable';
select plan(10);

set local role app;

select lives_ok('select * from ' || c.call, c.call)
from (
  values
  ($$auth_get_creds('acme')$$),
  ($$auth_creds_version('acme')$$),
  ($$auth_get_keys('acme', '{"session": ["1.0"]}')$$),
  ($$auth_get_keys('acme', 'session', '{1.0}')$$),
  ($$auth_list_keys('acme', 'session')$$),
  ($$auth_list_companies()$$),
  ($$auth_stats()$$),
  ($$auth_status()$$),
  ($$auth_schema_version()$$),
  ($$cleanup_expired_keys(p_dry_run => true)$$)
) as c (call);

select * from finish();
rollback;
