begin;
-- An earlier version kept them.
\ir ../refuses.psql
select plan(7);

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
insert into whatsapp_auth_history (company_id, version, creds, saved_at, replaced_at, ends_identity)
select
  'acme' as company_id,
  c.n as version,
  c.creds::jsonb as creds,
  now() as saved_at,
  now() as replaced_at,
  true as ends_identity
from (
  values
  (1, '{}'), (2, '["S3CRET"]'), (3, '"S3CRET"'), (4, '{"noiseKey": null, "signedIdentityKey": "S3CRET"}'),
  (5, '"{\"noiseKey\": \"S3CRET\"}"'), (6, '"eyJhbGciOiJkaXIifQ..AAAA.S3CRET"')
) as c (n, creds);
set local role app;
select pg_temp.refuses(format($$select auth_restore_creds('acme', %s)$$, c.n), 'WA001', c.detail, c.detail)
from (
  values
  (1, 'creds["noiseKey"] is missing.'), (2, 'creds is a JSON array.'), (3, 'creds is a string that is no JWE in compact form.'),
  (4, 'creds["noiseKey"] is missing.'), (5, 'creds is JSON text inside a JSON string: it was encoded twice.'),
  (6, 'creds is a string that is no JWE in compact form.')
) as c (n, detail);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i"}'::jsonb, 'the present ones stay');

select * from finish();
rollback;
