create or replace function auth_bind_role (p_role_name name, p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_role record;
begin
  perform _assert_service();
  perform _assert_company_id(p_company_id);
  select r.rolsuper or starts_with(r.rolname, 'auth_state_') or starts_with(r.rolname, 'pg_') as is_taken,
         pg_has_role('auth_state_tenant', r.oid, 'MEMBER') as has_tenants
    into v_role
    from pg_roles r
   where r.rolname = p_role_name;
  if v_role is null then
    raise exception using errcode = 'WA001',
      message = 'There is no such role.',
      detail = format('p_role_name is %s.', coalesce(to_json(p_role_name)::text, 'null')),
      hint = 'Create it first: create role acme_bot login password ...';
  elsif v_role.is_taken or v_role.has_tenants then
    raise exception using errcode = 'WA006',
      message = format('%I cannot be confined to a company.', p_role_name),
      detail = case
        when v_role.is_taken then 'It is a superuser, or one of pg-auth-state''s own roles or PostgreSQL''s.'
        else 'auth_state_tenant is a member of it, and PostgreSQL grants no role to a member of its own.'
      end,
      hint = 'Give the tenant a login of its own: create role acme_bot login password ...';
  end if;
  perform _assert_transaction();
  -- A NOINHERIT login has the rights of it at once from PostgreSQL 16 on, before that by set role.
  if not pg_has_role(p_role_name, 'auth_state_tenant', 'USAGE') then
    execute format('grant auth_state_tenant to %I', p_role_name)
            || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true' else '' end;
  end if;
  insert into whatsapp_tenant_roles as t (role_name, company_id)
  values (p_role_name, p_company_id)
  on conflict (role_name) do update
     set company_id = excluded.company_id
   where t.company_id <> excluded.company_id;
  if found then
    perform _audit(p_company_id, 'role_bound', _now(), null, jsonb_build_object('role', p_role_name));
  end if;
end
$func$;

comment on function auth_bind_role (name, text) is $$
Confines a database login to one company, whatever else it is granted or sets, and grants it auth_state_tenant. The company need not exist yet. A role that is bound already is bound anew. A binding goes by the name of the role: it outlives the role, and so errs on the safe side.

- `p_role_name`: an existing role; no superuser, none of PostgreSQL's own, none that auth_state_tenant is a member of (WA006).
- `p_company_id`: 1 to 256 bytes.

Only for the service. Errors: WA001, WA006, 42501. Locks: the row of that role.
$$;
