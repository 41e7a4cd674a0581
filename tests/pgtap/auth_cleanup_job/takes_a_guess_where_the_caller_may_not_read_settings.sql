begin;
select plan(1);

set local role app;
-- The servers of PostgreSQL 15 have pg_cron, in another database; those of 18 have none.
select is(
  auth_cleanup_job() ->> 'pg_cron',
  case when current_setting('server_version_num')::integer < 160000 then 'elsewhere' else 'absent' end,
  'no error'
);

select * from finish();
rollback;
