begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_renew_lease('acme', 1)$$, 'WA002', null, 'there never was one');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select * from auth_acquire_lease('acme', 'worker-2', p_steal => true);
select pg_temp.refuses(
  format($$select auth_renew_lease('acme', %s)$$, current_setting('test.token')), 'WA002', 'worker-2', 'it was stolen'
);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('globex', 'worker-1') as l;
select auth_release_lease('globex', current_setting('test.token')::bigint);
select pg_temp.refuses(
  format($$select auth_renew_lease('globex', %s)$$, current_setting('test.token')), 'WA002', null, 'it was released'
);

select * from finish();
rollback;
