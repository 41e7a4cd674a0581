create or replace function auth_unschedule_cleanup ()
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path from current
as $func$
declare
  v_plain constant text := 'cleanup-whatsapp-keys';
  v_own constant text := v_plain || ' in '
                         || case when octet_length(current_database()) > 38 then md5(current_database()) else current_database() end;
  v_cron constant jsonb := auth_cleanup_job();
  v_done boolean;
begin
  if v_cron ->> 'pg_cron' = 'elsewhere' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron lives in another database.',
      detail = format('Run the statement of the hint in database %I, as the login the job belongs to.', v_cron ->> 'cron_database'),
      hint = format('select cron.unschedule(jobid) from cron.job where jobname in (%L, %L) and database = %L',
                    v_plain, v_own, current_database());
  elsif v_cron ->> 'job_id' is null then
    return false;
  end if;
  execute 'select cron.unschedule($1)' into v_done using (v_cron ->> 'job_id')::bigint;
  return v_done;
end
$func$;

comment on function auth_unschedule_cleanup () is $$
Removes the pg_cron job that auth_schedule_cleanup made for this database. True when there was one that the caller can see, false otherwise.

Errors: WA006 where pg_cron lives in another database (the HINT is the exact statement to run there), 42501. Locks: none of ours. Runs with the caller's privileges.
$$;
