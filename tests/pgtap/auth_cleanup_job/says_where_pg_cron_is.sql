begin;
select plan(1);

-- The servers of PostgreSQL 15 have pg_cron, in another database; those of 18 have none.
select is(
  auth_cleanup_job(),
  case
    when current_setting('cron.database_name', true) is null then '{"pg_cron": "absent", "cron_database": null}'::jsonb
    else jsonb_build_object('pg_cron', 'elsewhere', 'cron_database', current_setting('cron.database_name', true))
  end,
  'absent, or in which database'
);

select * from finish();
rollback;
