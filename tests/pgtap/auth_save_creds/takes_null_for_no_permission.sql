begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', p_allow_new_identity => null)$$, 'WA005', null,
  'p_allow_new_identity null'
);

select * from finish();
rollback;
