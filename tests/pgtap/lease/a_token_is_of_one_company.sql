begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select pg_temp.refuses(
  format($$select auth_set_keys('globex', '{}', %s)$$, current_setting('test.token')), 'WA002', null, 'it opens no other'
);
select lives_ok($$select auth_set_keys('globex', '{}')$$, 'and no other is closed by it');

select * from finish();
rollback;
