begin;
\ir ../refuses.psql
select plan(9);

set local role app;
select pg_temp.refuses(format($$select auth_save_creds('acme', %L)$$, c.creds), 'WA001', c.detail, c.name)
from (
  values
  ('{}', 'p_creds["noiseKey"] is missing.', 'an empty object'),
  ('["S3CRET"]', 'p_creds is a JSON array.', 'a list'),
  ('"hello"', 'p_creds is a string that is no JWE in compact form.', 'a word'),
  ('"{\"noiseKey\": \"S3CRET\"}"', 'p_creds is JSON text inside a JSON string: it was encoded twice.', 'encoded twice'),
  ('{"noiseKey": null, "signedIdentityKey": "S3CRET"}', 'p_creds["noiseKey"] is missing.', 'a null noiseKey'),
  ('{"noiseKey": "S3CRET", "signedIdentityKey": null}', 'p_creds["signedIdentityKey"] is missing.', 'a null signedIdentityKey'),
  ('{"noiseKey": "S3CRET"}', 'p_creds["signedIdentityKey"] is missing.', 'no signedIdentityKey'),
  ('"eyJhbGciOiJkaXIifQ..AAAA.S3CRET"', 'p_creds is a string that is no JWE in compact form.', 'a JWE of four parts')
) as c (creds, detail, name);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
