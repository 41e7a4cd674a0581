begin;
\ir ../refuses.psql
\ir ../sealed.psql
\set paired '{"paired": true, "identity": "9f3c6d5b0a1e2f4837465564738291a0"}'
select plan(11);

set local role app;
select auth_save_creds('acme', pg_temp.sealed(:'paired'));
select lives_ok(format('select auth_save_creds(%L, %L)', 'acme', pg_temp.sealed(:'paired'::jsonb || '{"kid": "2"}')), 'the same identity');
select pg_temp.refuses(format('select auth_save_creds(%L, %L)', 'acme', c.creds), 'WA005', 'identity', c.description)
from (
  values
  (pg_temp.sealed('{"paired": true, "identity": "00000000000000000000000000000000"}'), 'another identity'),
  (pg_temp.sealed('{"paired": true}'), 'none'),
  (pg_temp.sealed('{"paired": true, "identity": null}'), 'null'),
  (pg_temp.sealed('{"paired": true, "identity": "9f3c6d5b0a1e2f4837465564738291a00"}'), 'no fingerprint'),
  (pg_temp.sealed('{"paired": true, "identity": ["9f3c6d5b0a1e2f4837465564738291a0"]}'), 'a list'),
  ('"eyJhbGciOiJkaXIifQ..AAAA.S3CRET.AAAA"', 'a header that says nothing'),
  ('{"noiseKey": "S3CRET", "signedIdentityKey": "S3CRET"}', 'plain ones of another identity')
) as c (creds, description);
select is(auth_get_creds('acme'), pg_temp.sealed(:'paired'::jsonb || '{"kid": "2"}'), 'nothing was written');
select lives_ok(
  format('select auth_save_creds(%L, %L, p_allow_new_identity => true)', 'acme', pg_temp.sealed('{"kid": "3"}')), 'unless told to'
);
select lives_ok(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$,
  'encrypted ones that are not paired are replaced by any'
);

select * from finish();
rollback;
