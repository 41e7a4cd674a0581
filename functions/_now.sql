-- The one clock. Tests set auth_state.now; anybody may set that, only a superuser's session is believed.
create or replace function _now ()
returns timestamptz
language plpgsql
volatile
parallel safe
set search_path from current
as $func$
begin
  if coalesce(current_setting('auth_state.now', true), '') <> '' then
    -- Inside: a condition that holds a query is no simple expression, and dear.
    if (select r.rolsuper from pg_roles r where r.rolname = session_user) then
      return current_setting('auth_state.now')::timestamptz;
    end if;
  end if;
  return clock_timestamp();
end
$func$;
