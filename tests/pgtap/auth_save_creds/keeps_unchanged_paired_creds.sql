begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select lives_ok(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}')$$,
  'even such that could not be replaced'
);

select * from finish();
rollback;
