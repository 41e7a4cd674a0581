begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select pg_temp.refuses(
  format('select auth_save_creds(''acme'', %L)', c.creds), 'WA001', format('p_creds["%s"] is missing.', c.missing), c.name
)
from (
  values
  ('{"signedIdentityKey": "i", "account": "S3CRET"}', 'noiseKey', 'no noiseKey'),
  ('{"noiseKey": "n", "account": "S3CRET"}', 'signedIdentityKey', 'no signedIdentityKey'),
  ('{"noiseKey": null, "signedIdentityKey": "i", "account": "S3CRET"}', 'noiseKey', 'null for noiseKey'),
  ('{"noiseKey": "n", "signedIdentityKey": null, "account": "S3CRET"}', 'signedIdentityKey', 'null for signedIdentityKey'),
  ('{}', 'noiseKey', 'none of both')
) as c (creds, missing, name);
select is(auth_get_creds('acme') ->> 'noiseKey', 'n', 'nothing was written');

select * from finish();
rollback;
