begin;
\ir ../refuses.psql
select plan(22);

set local role app;
select pg_temp.refuses(
  format(
    'select auth_import(%L, %L, %L)', 'acme', format('{"format": 1, "creds": %s, "keys": {"session": {"1.0": "S3CRET"}}}', c.creds), m.mode
  ),
  'WA001', 'p_state["creds"]' || c.detail, c.name || ', ' || m.mode
)
from (
  values
  ('{}', '["noiseKey"] is missing.', 'an empty object'),
  ('["S3CRET"]', ' is a JSON array.', 'a list'),
  ('"hello"', ' is a string that is no JWE in compact form.', 'a word'),
  ('"{\"noiseKey\": \"S3CRET\"}"', ' is JSON text inside a JSON string: it was encoded twice.', 'encoded twice'),
  ('{"noiseKey": null, "signedIdentityKey": "S3CRET"}', '["noiseKey"] is missing.', 'a null noiseKey'),
  ('{"noiseKey": "S3CRET"}', '["signedIdentityKey"] is missing.', 'no signedIdentityKey'),
  ('"eyJhbGciOiJkaXIifQ..AAAA.S3CRET"', ' is a string that is no JWE in compact form.', 'a JWE of four parts')
) as c (creds, detail, name)
cross join unnest(array['new', 'merge', 'replace']) as m (mode);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
