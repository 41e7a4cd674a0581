-- Somebody who may act for no company, but look at numbers, leases and the audit log of all of them.
create or replace function _is_monitor ()
returns boolean
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  return _confined_to() = ''
         and pg_has_role(_caller(), 'auth_state_monitor', 'USAGE')
         and not exists (select from whatsapp_tenant_roles t where t.role_name in (_caller(), session_user));
end
$func$;
