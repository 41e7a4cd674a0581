begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select pg_temp.refuses(
  $$select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": "S3CRET"}}}')$$, 'WA006', null, 'it has creds'
);
select auth_set_keys('globex', '{"session": {"2.0": 1}}');
select pg_temp.refuses(
  $$select auth_import('globex', '{"format": 1, "creds": {"noiseKey": "S3CRET", "signedIdentityKey": "i"}, "keys": {}}', 'new')$$, 'WA006',
  null, 'it has keys'
);
select is(auth_export('acme') -> 'keys', '{}'::jsonb, 'nothing was written');
select is(auth_get_creds('globex'), null, 'nothing was written there either');

select * from finish();
rollback;
