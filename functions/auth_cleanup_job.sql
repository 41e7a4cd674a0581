create or replace function auth_cleanup_job ()
returns jsonb
language plpgsql
stable
parallel unsafe
security invoker
set search_path from current
as $func$
declare
  -- pg_cron knows one job of a name for each login, whatever its database: where another database has the plain
  -- name, the job is called after its own. Names of pg_cron have 63 bytes.
  v_plain constant text := 'cleanup-whatsapp-keys';
  v_own constant text := v_plain || ' in '
                         || case when octet_length(current_database()) > 38 then md5(current_database()) else current_database() end;
  v_database text;
  v_job jsonb;
begin
  perform auth_schema_version();  -- it refuses what was restored without its owner
  begin
    v_database := current_setting('cron.database_name', true);
  exception
    when insufficient_privilege then
      -- Readable for pg_read_all_settings only; this is where pg_cron lives unless configured.
      v_database := 'postgres';
  end;
  if not exists (select from pg_extension e where e.extname = 'pg_cron') then
    return jsonb_build_object(
      'pg_cron', case when v_database <> current_database() then 'elsewhere' else 'absent' end,
      'cron_database', v_database);
  end if;
  if has_schema_privilege('cron', 'USAGE') then
    execute $sql$
      select jsonb_build_object('job_id', j.jobid, 'schedule', j.schedule, 'active', j.active, 'owner', j.username,
                                'last_run', r.start_time, 'last_status', r.status, 'last_message', r.return_message)
        from cron.job j
        left join lateral (
          select d.start_time, d.status, d.return_message
            from cron.job_run_details d
           where d.jobid = j.jobid
           order by d.runid desc
           limit 1
        ) r on true
       where j.jobname in ($1, $2) and j.database = current_database()
       order by j.username <> current_user, j.jobid
       limit 1
    $sql$ into v_job using v_plain, v_own;
  end if;
  return jsonb_build_object('pg_cron', 'here', 'cron_database', current_database()) || coalesce(v_job, '{}');
end
$func$;

comment on function auth_cleanup_job () is $$
How cleanup is scheduled, as the caller can see it: `{"pg_cron": "here" | "elsewhere" | "absent", "cron_database": ...}` and, where there is a job, `job_id`, `schedule`, `active`, `owner`, `last_run`, `last_status` and `last_message`.

Errors: 42501. Locks: none; works on a read replica. Runs with the caller's privileges: pg_cron shows a job to its owner and to superusers.
$$;
