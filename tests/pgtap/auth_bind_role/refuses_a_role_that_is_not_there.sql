begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_bind_role('nobody_of_this_name', 'acme')$$, 'WA001', 'nobody_of_this_name', 'a typing error');
select pg_temp.refuses($$select auth_bind_role(null, 'acme')$$, 'WA001', 'null', 'null');
select pg_temp.refuses($$select auth_bind_role('app', '')$$, 'WA001', 'p_company_id', 'no company');

select * from finish();
rollback;
