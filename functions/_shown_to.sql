-- For the policies of tables that a monitor counts in: whose rows, as _confined_to has it, and all to a monitor.
create or replace function _shown_to ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_company constant text := _confined_to();
begin
  return case when v_company = '' and _is_monitor() then null else v_company end;
end
$func$;
