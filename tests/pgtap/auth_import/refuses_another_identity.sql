begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "me": {"id": "962302:23@s.whatsapp.net"}}');
select pg_temp.refuses(
  format($$select auth_import('acme', '{"format": 1, "creds": %s, "keys": {"session": {"1.0": "S3CRET"}}}', 'replace')$$, c.creds),
  'WA005', null, c.name
)
from (
  values
  ('{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', 'another noiseKey'),
  ('{"noiseKey": "n", "signedIdentityKey": "S3CRET"}', 'another signedIdentityKey'),
  ('"eyJhbGciOiJkaXIifQ..AAAA.S3CRET.AAAA"', 'a string'),
  ('null', 'no creds')
) as c (creds, name);
select is_empty($$select * from auth_list_keys('acme', 'session')$$, 'nothing was written');

select * from finish();
rollback;
