-- The caller is the role that was set, or the login: current_user would be our own owner.
create or replace function _assert_service ()
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $func$
declare
  v_caller constant name := coalesce(nullif(current_setting('role'), 'none')::name, session_user);
begin
  if not pg_has_role(v_caller, 'auth_state_service', 'USAGE') then
    raise exception using errcode = '42501',
      message = format('%I may not act for companies.', v_caller),
      hint = format('A trusted back end is let in with: grant auth_state_service to %I', v_caller);
  end if;
end
$func$;
