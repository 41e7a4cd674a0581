begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses($$select auth_export('acme')$$, 'WA004', null, 'nobody has heard of it');
select * from auth_acquire_lease('acme', 'worker-1');
select pg_temp.refuses($$select auth_export('acme')$$, 'WA004', null, 'a lease makes no company');

select * from finish();
rollback;
