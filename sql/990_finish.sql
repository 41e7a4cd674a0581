do $install$
declare
  v_message text;
  v_hint text;
begin
  perform set_config('role', current_setting('auth_state.installer_role'), true);
  -- The installer's way into auth_state_owner was for this transaction only.
  if current_setting('auth_state.borrowed_owner') <> '' then
    execute format('revoke auth_state_owner from %I', current_setting('auth_state.borrowed_owner'));
  end if;

  -- A first install schedules the cleanup; later ones leave the job as they find it.
  if current_setting('auth_state.first_install') = 'yes' then
    begin
      perform auth_schedule_cleanup();
      raise notice 'expired keys are removed by a job of pg_cron, every 6 hours';
    exception
      when others then
        get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
        raise notice 'expired keys are not removed by themselves yet: %', v_message using hint = v_hint;
    end;
  end if;
end
$install$;

-- Under psql's ON_ERROR_ROLLBACK a statement that fails is passed over, and the rest would be committed. Each statement
-- is a subtransaction then.
do $install$
begin
  if has_database_privilege(current_database(), 'TEMP') and exists (
    select
      from pg_proc p
     where p.proname = 'auth_schema_version' and age(p.xmin) < age(pg_current_xact_id()::xid)
  ) then
    create temp table pg_auth_state_install (savepoints boolean) on commit drop;
    create function pg_temp.refuse_savepoints ()
    returns trigger
    language plpgsql
    as $refuse$
    begin
      raise exception using errcode = 'WA006',
        message = 'This file was run with a savepoint before each statement: nothing is committed.',
        detail = 'A statement that fails would be passed over, and half of pg-auth-state installed.',
        hint = 'psql -X -v ON_ERROR_STOP=1 has none; nor has any psql while ON_ERROR_ROLLBACK is off.';
    end
    $refuse$;
    create constraint trigger refuse_savepoints after insert on pg_temp.pg_auth_state_install
    initially deferred for each row execute function pg_temp.refuse_savepoints();
    insert into pg_temp.pg_auth_state_install values (true);
  end if;
end
$install$;

commit;
