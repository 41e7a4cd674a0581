-- For functions that list: the company they are to show, null for every one. Asked for none in particular,
-- that is whatever the caller may see.
create or replace function _listed (p_company_id text, p_to_monitor boolean)
returns text
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_confined text;
begin
  perform _assert_session();
  perform _assert_policies();
  if p_to_monitor and _is_monitor() then
    if p_company_id is not null then
      perform _assert_company_id(p_company_id);
    end if;
    return p_company_id;
  elsif p_company_id is not null then
    perform _assert_company(p_company_id);
    return p_company_id;
  end if;
  v_confined := _confined_to();
  if v_confined = '' or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not see any company.', _caller()),
      hint = format('grant auth_state_monitor to %1$I for numbers, leases and the audit log; auth_state_service for everything.', _caller());
  end if;
  return v_confined;
end
$func$;
