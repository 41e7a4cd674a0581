create or replace function _list_status_warnings ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  return query select * from _warn_of_printed_values();
  return query select * from _warn_of_lost_writes();
  return query select * from _warn_of_access();
  return query select * from _warn_of_incomplete_install();
end
$func$;
