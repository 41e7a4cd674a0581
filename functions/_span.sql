-- A span of time as a setting spells it; null for what is none. A bare number is milliseconds.
create or replace function _span (p_text text)
returns interval
language plpgsql
immutable
parallel unsafe
set search_path from current
set intervalstyle = 'postgres'
as $func$
declare
  v_span interval;
begin
  v_span := (case when p_text ~ '^[0-9]+$' then p_text || 'ms' else p_text end)::interval;
  if least(extract(year from v_span), extract(month from v_span), extract(day from v_span),
           extract(hour from v_span), extract(minute from v_span), extract(second from v_span)) >= 0 then
    return v_span;
  end if;
  return null;
exception
  when data_exception or feature_not_supported then
    return null;
end
$func$;
