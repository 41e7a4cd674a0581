begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:01:00Z', true);

select pg_temp.refuses(
  format($$select auth_renew_lease('acme', %s)$$, current_setting('test.token')), 'WA002', null, 'even if nobody took it'
);

select * from finish();
rollback;
