begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses('select * from auth_list_companies(null, 0)', 'WA001', 'p_limit', 'zero');
select pg_temp.refuses('select * from auth_list_companies(null, -1)', 'WA001', 'p_limit', 'below zero');
select pg_temp.refuses('select * from auth_list_companies(null, null)', 'WA001', 'p_limit', 'null');

select * from finish();
rollback;
