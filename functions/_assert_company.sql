-- Refused alike whether the company exists or not: who may not see it learns nothing.
create or replace function _assert_company (p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  perform _assert_session();
  if octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company_id(p_company_id);
  end if;
  if _confined_to() <> p_company_id or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not act for company %s.', _caller(), to_json(p_company_id)),
      hint = 'A trusted back end is granted auth_state_service. Anybody else acts for one company: the one its login is '
             'bound to by auth_bind_role, the company_id of its token, or auth_state.company_id.';
  end if;
  perform _assert_utf8();
  perform _assert_policies();
end
$func$;
