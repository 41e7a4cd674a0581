-- Behind the functions: a mistake in one of them still shows and changes nobody else's rows. Only what differs
-- is made anew, since altering a policy waits for everybody who reads the table.
do $install$
declare
  -- Once a statement. The condition is the common case of _confined_to, a service that is neither bound nor
  -- narrowed, without the price of calling it.
  v_confined constant text := $sql$(
    select case
      when coalesce(current_setting('auth_state.company_id', true), '') = ''
           and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE')
           and not exists (select from whatsapp_tenant_roles t
                            where t.role_name in (coalesce(nullif(current_setting('role'), 'none')::name, session_user), session_user))
        then null
      else _confined_to()
    end)$sql$;
  v_company constant text := format('(company_id = %s) is not false', v_confined);
  v_event constant text := '(select _confined_to()) is null or company_id = nullif((select _confined_to()), '''')';
  v_unconfined constant text := '(select _confined_to()) is null';
  v_monitor constant text := '(select _is_monitor())';
  v_policies constant jsonb := jsonb_build_array(
    jsonb_build_array('whatsapp_auth', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_auth_history', 'company', 'all', v_company),
    -- The names matter: policies are tried in their order.
    jsonb_build_array('whatsapp_keys', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_keys', 'monitor', 'select', v_monitor),
    jsonb_build_array('whatsapp_leases', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_leases', 'monitor', 'select', v_monitor),
    jsonb_build_array('whatsapp_audit', 'company', 'select', v_event),
    jsonb_build_array('whatsapp_audit', 'log', 'insert', v_event),
    jsonb_build_array('whatsapp_audit', 'monitor', 'select', v_monitor),
    jsonb_build_array('whatsapp_audit', 'prune', 'delete', v_unconfined),
    jsonb_build_array('whatsapp_key_ttl', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_key_ttl', 'write', 'all', v_unconfined),
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
    select w ->> 0 as relname, w ->> 1 as polname, w ->> 2 as command, w ->> 3 as condition
      from jsonb_array_elements(v_policies) w
  loop
    for v_attempt in 1..2 loop
      -- Its comment says what it was made of and what PostgreSQL made of that.
      select p.oid,
             md5(concat_ws(' | ', v_policy.command, v_policy.condition, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
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
        execute format('create policy %I on %I for %s to auth_state_owner %s (%s)', v_policy.polname, v_policy.relname, v_policy.command,
                       case when v_policy.command = 'insert' then 'with check' else 'using' end, v_policy.condition);
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
