begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:02:00Z', true);
select auth_set_keys('acme', '{"session": {"1.0": "by worker-2"}}', l.token) from auth_acquire_lease('acme', 'worker-2', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:04:00Z', true);

select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}}', %s)$$, current_setting('test.token')),
  'WA002', null, 'though no lease is live'
);
select is(auth_get_keys('acme', 'session', '{1.0}') ->> '1.0', 'by worker-2', 'and nothing was overwritten');

select * from finish();
rollback;
