-- Behind the functions: a mistake in one of them still shows and changes nobody else's rows. Only what differs
-- is made anew, since altering a policy waits for everybody who reads the table.
do $install$
declare
  -- Once a statement.
  v_confined constant text := $sql$(select case when __caller_is_service__ then null else %s() end)$sql$;
  v_company constant text := '(company_id = ' || format(v_confined, '_confined_to') || ') is not false';
  -- PostgreSQL merges equal conditions: one permissive policy for every command, and what keeps a monitor from
  -- writing beside it, cost an update half of what policies for each command would.
  v_shown constant text := '(company_id = ' || format(v_confined, '_shown_to') || ') is not false';
  v_no_monitor constant text := $sql$(
    select not pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_monitor', 'USAGE')
           or _is_monitor() is not true)$sql$;
  v_event constant text := '(select _confined_to()) is null or company_id = nullif((select _confined_to()), '''')';
  v_unconfined constant text := '(select _confined_to()) is null';
  v_monitor constant text := '(select _is_monitor())';
  v_policies constant jsonb := jsonb_build_array(
    jsonb_build_array('whatsapp_auth', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_auth_history', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_keys', 'company', 'all', v_shown),
    jsonb_build_array('whatsapp_keys', 'no_monitor_deletes', 'delete', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_keys', 'no_monitor_inserts', 'insert', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_keys', 'no_monitor_updates', 'update', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'company', 'all', v_shown),
    jsonb_build_array('whatsapp_leases', 'no_monitor_deletes', 'delete', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'no_monitor_inserts', 'insert', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'no_monitor_updates', 'update', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_audit', 'company', 'select', v_event),
    jsonb_build_array('whatsapp_audit', 'log', 'insert', v_event),
    jsonb_build_array('whatsapp_audit', 'monitor', 'select', v_monitor),
    jsonb_build_array('whatsapp_audit', 'count', 'update', v_event),
    jsonb_build_array('whatsapp_audit', 'prune', 'delete', v_unconfined),
    jsonb_build_array('whatsapp_key_ttl', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_key_ttl', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_settings', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_settings', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_tenant_roles', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_tenant_roles', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_migrations', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_migrations', 'write', 'all', v_unconfined)
  );
  v_policy record;
  v_found record;
begin
  for v_policy in
    select c.relname, p.polname
      from pg_policy p
      join pg_class c on c.oid = p.polrelid
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and not exists (select from jsonb_array_elements(v_policies) w where w ->> 0 = c.relname and w ->> 1 = p.polname)
  loop
    raise notice '%: policy % dropped, it is not ours', v_policy.relname, v_policy.polname;
    execute format('drop policy %I on %I', v_policy.polname, v_policy.relname);
  end loop;

  for v_policy in
    select w ->> 0 as relname, w ->> 1 as polname, w ->> 2 as command, w ->> 3 as condition, coalesce(w ->> 4, 'permissive') as kind
      from jsonb_array_elements(v_policies) w
  loop
    for v_attempt in 1..2 loop
      -- Its comment says what it was made of and what PostgreSQL made of that.
      select p.oid,
             md5(concat_ws(' | ', v_policy.command, v_policy.condition, v_policy.kind, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
                           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))) as md5,
             obj_description(p.oid, 'pg_policy') as noted
        into v_found
        from pg_policy p
       where p.polrelid = to_regclass(v_policy.relname) and p.polname = v_policy.polname;
      exit when v_found.md5 = v_found.noted;
      if v_attempt = 1 then
        if v_found.oid is not null then
          execute format('drop policy %I on %I', v_policy.polname, v_policy.relname);
        end if;
        execute format('create policy %I on %I as %s for %s to auth_state_owner %s (%s)', v_policy.polname, v_policy.relname,
                       v_policy.kind, v_policy.command, case when v_policy.command = 'insert' then 'with check' else 'using' end,
                       v_policy.condition)
                -- What a row was is enough to know who writes.
                || case when v_policy.kind = 'restrictive' and v_policy.command = 'update' then ' with check (true)' else '' end;
      else
        execute format('comment on policy %I on %I is %L', v_policy.polname, v_policy.relname, v_found.md5);
      end if;
    end loop;
  end loop;

  for v_policy in
    select c.relname
      from pg_class c
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relkind = 'r' and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and not (c.relrowsecurity and c.relforcerowsecurity)
  loop
    execute format('alter table %I enable row level security, force row level security', v_policy.relname);
  end loop;
end
$install$;
