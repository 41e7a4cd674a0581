begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses($$select auth_set_keys('acme', '{}', 1)$$, 'WA002', null, 'the company has no lease');
select * from auth_acquire_lease('acme', 'worker-1');
select pg_temp.refuses($$select auth_set_keys('acme', '{}', 1)$$, 'WA002', 'worker-1', 'the company has another');

select * from finish();
rollback;
