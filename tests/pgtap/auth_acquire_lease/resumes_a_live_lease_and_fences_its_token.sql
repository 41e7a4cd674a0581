begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('test.resumed', l.token::text, true)
from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l
where l.acquired;
select cmp_ok(current_setting('test.resumed')::bigint, '>', current_setting('test.token')::bigint, 'by a greater token');
select lives_ok(format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.resumed')), 'which is good');
select pg_temp.refuses(
  format($$select auth_set_keys('acme', '{}', %s)$$, current_setting('test.token')), 'WA002', null, 'a late write under the old one is not'
);
select results_eq(
  $$select l.acquired, l.token, l.holder
    from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l$$,
  $$values (false, null::bigint, 'worker-1')$$,
  'nor does it resume once more'
);

select * from finish();
rollback;
