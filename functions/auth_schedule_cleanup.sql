create or replace function auth_schedule_cleanup (p_schedule text default '0 */6 * * *')
returns bigint
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
  -- Also for a login whose transactions are of another isolation level.
  v_command constant text := format(
    'do %L', format('begin loop commit; set transaction isolation level read committed; '
                    'exit when %I.cleanup_expired_keys() = 0; end loop; end', current_schema()));
  v_cron constant jsonb := auth_cleanup_job();
  v_name text;
  v_is_taken boolean;
  v_other text;
  v_job bigint;
begin
  if p_schedule is null or p_schedule = '' then
    raise exception using errcode = 'WA001',
      message = 'A schedule is needed.',
      detail = 'p_schedule is null or empty.',
      hint = 'Like ''0 */6 * * *'', in the cron.timezone of the server.';
  end if;
  -- The job runs as its owner: whoever may not do the work may not schedule it.
  perform cleanup_expired_keys(1, true);

  if v_cron ->> 'pg_cron' = 'elsewhere' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron lives in another database.',
      detail = format('Run the statement of the hint in database %I, as the login that is to run the job and may execute '
                      'cron.schedule_in_database. No row back: another login has a job for this database already.',
                      v_cron ->> 'cron_database'),
      -- pg_cron would silently turn another database's job of this name into ours.
      hint = format('select cron.schedule_in_database(coalesce('
                    '(select min(jobname::text) from cron.job where jobname in (%1$L, %2$L) and database = %5$L and username = current_user), '
                    '(select min(%2$L) from cron.job where jobname = %1$L), %1$L), %3$L, %4$L, %5$L)'
                    ' where not exists (select from cron.job where jobname in (%1$L, %2$L) and database = %5$L'
                    ' and username <> current_user)',
                    v_plain, v_own, p_schedule, v_command, current_database());
  elsif v_cron ->> 'pg_cron' = 'absent' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron is not installed in this database.',
      detail = format('Where the server has it: create extension pg_cron; select %I.auth_schedule_cleanup(%L)', current_schema(), p_schedule),
      hint = format('From any scheduler, again until it gives 0: select %I.cleanup_expired_keys(); as a service: pg-auth-state cleanup --every 6h', current_schema());
  end if;

  if not (select r.rolcanlogin from pg_roles r where r.rolname = current_user) then
    raise exception using errcode = 'WA006',
      message = format('%I cannot log in, so a job of its own would never run.', current_user),
      detail = 'pg_cron runs a job as the role that scheduled it.',
      hint = 'reset role, and call it as a login that has been granted auth_state_service.';
  end if;
  if not has_schema_privilege('cron', 'USAGE') then
    raise exception using errcode = 'WA006',
      message = format('%I may not use pg_cron.', current_user),
      detail = 'USAGE of schema cron is missing.',
      hint = format('As a superuser: grant usage on schema cron to %I', current_user);
  end if;
  execute $sql$
    select min(j.jobname::text) filter (where j.database = current_database() and j.username = current_user),
           bool_or(j.jobname = $1 and j.database <> current_database()),
           min(format('job %s of %I in database %I', j.jobid, j.username, j.database))
             filter (where j.database = current_database() and j.username <> current_user)
      from cron.job j
     where j.jobname in ($1, $2)
  $sql$ into v_name, v_is_taken, v_other using v_plain, v_own;
  if v_other is not null then
    raise exception using errcode = 'WA006',
      message = 'Another login has a job for the cleanup of this database.',
      detail = v_other,
      hint = 'Have its owner run auth_unschedule_cleanup, or cron.unschedule, first.';
  end if;
  execute 'select cron.schedule($1, $2, $3)'
     into v_job
    using coalesce(v_name, case when v_is_taken then v_own else v_plain end), p_schedule, v_command;
  return v_job;
end
$func$;

comment on function auth_schedule_cleanup (text) is $$
Has pg_cron run the cleanup, batch by batch with a commit after each, as a job of the caller, and returns the job's id. The job is called `cleanup-whatsapp-keys`, or, where another database of the server has that name, `cleanup-whatsapp-keys in <database>` (the MD5 of a name beyond 38 bytes). Calling it again changes the schedule of the same job.

- `p_schedule`: a cron expression, in the server's `cron.timezone` (GMT unless set).

Errors: WA001; WA006 where pg_cron is absent, or lives in another database (the HINT is the exact statement to run there), or the caller cannot log in or use pg_cron, or another login has a job for this database; 42501. Locks: none of ours. Runs with the caller's privileges.
$$;
