begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select pg_temp.refuses(
  $$select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.S3CRET.AAAA"')$$, 'WA005', null, 'it cannot be told whose it is'
);

select * from finish();
rollback;
