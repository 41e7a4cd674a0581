begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": "S3CRET"}', 1)$$, 'WA003', null,
  'somebody deleted them'
);
select is(auth_get_creds('acme'), null, 'nothing was written');

select * from finish();
rollback;
