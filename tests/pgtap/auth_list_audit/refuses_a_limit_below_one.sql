begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select pg_temp.refuses($$select * from auth_list_audit(p_limit => 0)$$, 'WA001', 'p_limit', 'zero');

select * from finish();
rollback;
