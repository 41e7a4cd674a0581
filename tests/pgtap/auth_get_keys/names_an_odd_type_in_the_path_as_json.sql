begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select pg_temp.refuses(
  $$select auth_get_keys('acme', '{"a\"b\n": 1}')$$, 'WA001', 'p_keys["a\"b\n"]', 'on one line'
);

select * from finish();
rollback;
