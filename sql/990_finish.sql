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

commit;
