begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select auth_save_creds('acme', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 2) as i;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select pg_temp.refuses(
  $$select auth_restore_creds('acme', (select h.version from auth_creds_history('acme') as h))$$, 'WA002', 'worker-1', 'without a token'
);
select lives_ok(
  $$select auth_restore_creds('acme', (select h.version from auth_creds_history('acme') as h), current_setting('test.token')::bigint)$$,
  'with it'
);

select * from finish();
rollback;
