-- For whom a service or a proxy acts, as auth_state.on_behalf_of says; nobody else is believed.
create or replace function _on_behalf_of ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_name constant text := nullif(left(current_setting('auth_state.on_behalf_of', true), 256), '');
begin
  if v_name is not null
     and (pg_has_role(_caller(), 'auth_state_service', 'USAGE') or pg_has_role(session_user, 'auth_state_proxy', 'MEMBER'))
     and not exists (select from whatsapp_tenant_roles t where t.role_name in (_caller(), session_user)) then
    return v_name;
  end if;
  return null;
end
$func$;
