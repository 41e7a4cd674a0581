-- What _utc gives; null for anything else, so that the caller can name the path. _utc spells no year before 1.
create or replace function _from_utc (p_time text)
returns timestamptz
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if p_time ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$' then
    return case when p_time::timestamptz >= '0001-01-01T00:00:00Z' then p_time::timestamptz end;
  end if;
  return null;
exception
  when data_exception then
    return null;
end
$func$;
