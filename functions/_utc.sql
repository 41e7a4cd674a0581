create or replace function _utc (p_time timestamptz)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end
$func$;
