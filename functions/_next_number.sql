-- The next version or token: grows over deletion, truncation and an old dump too, since the clock did.
create or replace function _next_number (p_previous bigint, p_now timestamptz)
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return greatest(p_previous + 1, floor(extract(epoch from p_now) * 1000000::numeric)::bigint);
end
$func$;
