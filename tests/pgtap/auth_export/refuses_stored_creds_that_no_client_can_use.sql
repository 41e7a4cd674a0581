begin;
-- Somebody wrote them into the table, or an earlier version did.
\ir ../refuses.psql
select plan(8);

insert into whatsapp_auth (company_id, creds, version, created_at, updated_at)
select
  'company ' || c.n as company_id,
  c.creds::jsonb as creds,
  1 as version,
  now() as created_at,
  now() as updated_at
from (
  values
  (1, '{}'), (2, '["S3CRET"]'), (3, '"S3CRET"'), (4, '{"noiseKey": null, "signedIdentityKey": "S3CRET"}'),
  (5, '{"noiseKey": "S3CRET"}'), (6, '"{\"noiseKey\": \"S3CRET\"}"'), (7, '"eyJhbGciOiJkaXIifQ..AAAA.S3CRET"'), (8, '7')
) as c (n, creds);
set local role app;
select pg_temp.refuses(format($$select auth_export(%L)$$, 'company ' || c.n), 'WA006', c.detail, c.detail)
from (
  values
  (1, 'creds["noiseKey"] is missing.'), (2, 'creds is a JSON array.'), (3, 'creds is a string that is no JWE in compact form.'),
  (4, 'creds["noiseKey"] is missing.'), (5, 'creds["signedIdentityKey"] is missing.'),
  (6, 'creds is JSON text inside a JSON string: it was encoded twice.'), (7, 'creds is a string that is no JWE in compact form.'),
  (8, 'creds is a JSON number.')
) as c (n, detail);

select * from finish();
rollback;
