begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');

select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i", "account": {"details": "d"}}')$$,
  'WA005', null, 'another noiseKey'
);
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "S3CRET", "account": {"details": "d"}}')$$,
  'WA005', null, 'another signedIdentityKey'
);
select is(
  auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}'::jsonb, 'nothing was written'
);

select * from finish();
rollback;
