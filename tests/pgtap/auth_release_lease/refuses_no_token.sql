begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select pg_temp.refuses($$select auth_release_lease('acme', null)$$, 'WA001', 'p_token', 'null');

select * from finish();
rollback;
