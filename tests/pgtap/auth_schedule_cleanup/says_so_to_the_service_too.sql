begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select pg_temp.refuses('select auth_schedule_cleanup()', 'WA006', null, 'though it may not read where pg_cron lives');

select * from finish();
rollback;
