begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses($$select auth_acquire_lease('acme', null)$$, 'WA001', 'p_holder', 'null');
select pg_temp.refuses($$select auth_acquire_lease('acme', '')$$, 'WA001', 'p_holder', 'empty');

select * from finish();
rollback;
