-- What _utc gives; null for anything else, so that the caller can name the path.
create or replace function _from_utc (p_time text)
returns timestamptz
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if p_time ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$' then
    return p_time::timestamptz;
  end if;
  return null;
exception
  when data_exception then
    return null;
end
$func$;
