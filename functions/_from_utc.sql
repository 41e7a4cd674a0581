-- What _utc gives; null for anything else, so that the caller can name the path.
create or replace function _from_utc (p_time text)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_time ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$' then
    return p_time::timestamptz;
  end if;
  return null;
exception
  when data_exception then
    return null;
end
$func$;
