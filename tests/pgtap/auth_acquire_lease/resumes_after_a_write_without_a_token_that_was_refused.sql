begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select pg_temp.refuses($$select auth_set_keys('acme', '{"session": {"1.0": 1}}')$$, 'WA002', 'worker-1', 'the lease is live');
select ok(
  (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l),
  'nothing was written'
);

select * from finish();
rollback;
