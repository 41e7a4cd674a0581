begin;
\ir ../refuses.psql
\ir ../sealed.psql
select plan(3);

set local role app;
select auth_save_creds('acme', pg_temp.sealed('{"paired": true, "identity": "9f3c6d5b0a1e2f4837465564738291a0"}'));
select pg_temp.refuses(
  format('select auth_import(%L, %L, %L)', 'acme', jsonb_build_object('format', 1, 'creds', c.creds, 'keys', '{}'::jsonb), 'replace'),
  'WA005', null, c.creds::text
)
from (
  values ('"eyJhbGciOiJkaXIifQ..AAAA.S3CRET.AAAA"'::jsonb), ('null'), ('{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')
) as c (creds);

select * from finish();
rollback;
