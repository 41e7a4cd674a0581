begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_delete_company('acme', current_setting('test.token')::bigint);

select lives_ok($$select auth_init_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, 'anybody may begin again');
select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'WA002', null, 'the old token is stale'
);

select * from finish();
rollback;
