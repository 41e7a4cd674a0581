-- The role that was set, or the login: current_user would be our own owner.
create or replace function _caller ()
returns name
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  return coalesce(nullif(current_setting('role'), 'none')::name, session_user);
end
$func$;
