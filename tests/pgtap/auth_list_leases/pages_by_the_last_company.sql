begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select auth_acquire_lease(c.id, 'me') from (values ('a'), ('b'), ('c')) as c (id);
select results_eq($$select l.company_id from auth_list_leases(p_limit => 2) as l$$, array['a', 'b'], 'a page');
select results_eq($$select l.company_id from auth_list_leases('b', 2) as l$$, array['c'], 'the next');
select pg_temp.refuses($$select * from auth_list_leases(p_limit => 0)$$, 'WA001', 'p_limit', 'a page of none');

select * from finish();
rollback;
