begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses('select auth_schedule_cleanup(null)', 'WA001', 'p_schedule', 'null');
select pg_temp.refuses($$select auth_schedule_cleanup('')$$, 'WA001', 'p_schedule', 'empty');

select * from finish();
rollback;
