-- A restarted process need not wait for its own former lease.
begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('test.again', l.token::text, true)
from auth_acquire_lease('acme', 'worker-1') as l
where l.acquired;

select cmp_ok(
  current_setting('test.again')::bigint, '>', current_setting('test.token')::bigint, 'a greater one'
);
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.again')), 'the new one is good');
select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'WA002', null, 'the old one is stale'
);

select * from finish();
rollback;
