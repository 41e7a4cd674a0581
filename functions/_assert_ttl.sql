create or replace function _assert_ttl (p_ttl interval)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  -- '1 month -29 days' is above zero, and in the past after most days of February.
  if p_ttl is null or p_ttl <= '0' or p_ttl > '1000 years'
     or least(extract(year from p_ttl), extract(month from p_ttl), extract(day from p_ttl),
              extract(hour from p_ttl), extract(minute from p_ttl), extract(second from p_ttl)) < 0 then
    raise exception using errcode = 'WA001',
      message = 'A ttl is an interval above zero and up to 1000 years.',
      detail = format('p_ttl is %s.', coalesce(p_ttl::text, 'null')),
      hint = 'Like interval ''60 seconds''.';
  end if;
end
$func$;
