create or replace function auth_unbind_role (p_role_name name)
returns boolean
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_company text;
begin
  perform _assert_service();
  perform _assert_transaction();
  delete from whatsapp_tenant_roles t
   where t.role_name = p_role_name
  returning t.company_id into v_company;
  if v_company is null then
    return false;
  end if;
  perform _audit(v_company, 'role_unbound', _now(), null, jsonb_build_object('role', p_role_name));
  return true;
end
$func$;

comment on function auth_unbind_role (name) is $$
Ends what auth_bind_role began for `p_role_name`; true when it was bound. From then on the role is what its grants make it: auth_state_tenant, which it keeps, opens nothing by itself, but a login that has auth_state_service too acts for every company again.

Only for the service. Errors: 42501, WA006 (isolation level). Locks: the row of that role.
$$;
