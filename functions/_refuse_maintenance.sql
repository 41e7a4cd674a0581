-- What stable functions begin with, since only a volatile one may say it; _confined_to says why.
create or replace function _refuse_maintenance ()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  unlisten pg_auth_state_nothing;
end
$func$;
