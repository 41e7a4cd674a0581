begin;
\ir ../refuses.psql
select plan(76);

set local role app;

select pg_temp.refuses('select * from ' || format(c.call, i.id), 'WA001', 'p_company_id', format(c.call, i.name))
from (
  values
  ($$auth_get_creds(%s)$$),
  ($$auth_init_creds(%s, '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_save_creds(%s, '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$),
  ($$auth_creds_version(%s)$$),
  ($$auth_get_keys(%s, '{}')$$),
  ($$auth_get_keys(%s, 'session', '{}')$$),
  ($$auth_set_keys(%s, '{"session": {"1.0": "S3CRET"}}')$$),
  ($$auth_save_state(%s, '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}')$$),
  ($$auth_list_keys(%s, 'session')$$),
  ($$auth_clear_keys(%s)$$),
  ($$auth_forget_history(%s)$$),
  ($$auth_delete_company(%s)$$),
  ($$auth_export(%s)$$),
  ($$auth_import(%s, '{"format": 1, "keys": {}}')$$),
  ($$auth_acquire_lease(%s, 'me')$$),
  ($$auth_renew_lease(%s, 1)$$),
  ($$auth_release_lease(%s, 1)$$)
) as c (call)
cross join (
  values
  ($$null$$, 'null'),
  ($$''$$, 'empty'),
  ($$repeat('S3CRET', 42) || 'S3CRE'$$, '257 bytes'),
  ($$repeat('é', 128) || 'x'$$, '129 characters of 257 bytes')
) as i (id, name)
union all
select pg_temp.refuses('select * from ' || format(c.call, i.id), 'WA001', 'p_company_id', format(c.call, i.name))
from (
  values
  ($$auth_stats(%s)$$),
  ($$cleanup_expired_keys(p_company_id => %s)$$)
) as c (call)
cross join (
  values
  ($$''$$, 'empty'),
  ($$repeat('x', 257)$$, '257 bytes'),
  ($$repeat('é', 128) || 'x'$$, '129 characters of 257 bytes'),
  ($$repeat('😀', 65)$$, '65 characters of 260 bytes')
) as i (id, name);

select * from finish();
rollback;
