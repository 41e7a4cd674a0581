-- For what concerns all companies: a service that is confined to one may not either.
create or replace function _assert_service ()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  perform _assert_session();
  if _confined_to() is not null or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not act for all companies.', _caller()),
      hint = format('A trusted back end that is confined to no company is let in with: grant auth_state_service to %I', _caller());
  end if;
  perform _assert_policies();
end
$func$;
