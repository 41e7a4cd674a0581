begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('test.stolen', l.token::text, true)
from auth_acquire_lease('acme', 'worker-2', p_steal => true) as l
where l.acquired;

select cmp_ok(current_setting('test.stolen')::bigint, '>', current_setting('test.token')::bigint, 'by a greater token');
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.stolen')), 'which is good');
select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'WA002', 'worker-2', 'the other one is lost'
);

select * from finish();
rollback;
