begin;
select plan(1);

create function pg_temp.outcome() returns text language plpgsql as $$
declare
  v_hint text;
begin
  return auth_unschedule_cleanup();
exception
  when sqlstate 'WA006' then
    get stacked diagnostics v_hint = pg_exception_hint;
    return v_hint;
end
$$;
-- The servers of PostgreSQL 15 have pg_cron, in another database; those of 18 have none.
select matches(
  pg_temp.outcome(),
  case
    when current_setting('cron.database_name', true) is null then '^false$'
    else
      '^select cron\.unschedule\(jobid\) from cron\.job where jobname in \(''cleanup-whatsapp-keys'', ''cleanup-whatsapp-keys in '
      || current_database() || '''\) and database = '
      || quote_literal(current_database())
  end,
  'false, or the exact statement to run there'
);

select * from finish();
rollback;
