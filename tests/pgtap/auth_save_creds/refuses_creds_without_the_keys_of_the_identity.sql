begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select pg_temp.refuses(format('select auth_save_creds(''acme'', %L)', c.creds), 'WA005', null, c.name)
from (
  values
  ('{"signedIdentityKey": "i", "account": "S3CRET"}', 'no noiseKey'),
  ('{"noiseKey": "n", "account": "S3CRET"}', 'no signedIdentityKey'),
  ('{"noiseKey": null, "signedIdentityKey": "i", "account": "S3CRET"}', 'null for noiseKey'),
  ('{"noiseKey": "n", "signedIdentityKey": null, "account": "S3CRET"}', 'null for signedIdentityKey'),
  ('{}', 'none of both')
) as c (creds, name);

select * from finish();
rollback;
