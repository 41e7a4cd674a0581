create or replace function _assert_ttl (p_ttl interval)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_ttl is null or p_ttl <= '0' or p_ttl > '1000 years' then
    raise exception using errcode = 'WA001',
      message = 'A ttl is an interval above zero and up to 1000 years.',
      detail = format('p_ttl is %s.', coalesce(p_ttl::text, 'null')),
      hint = 'Like interval ''60 seconds''.';
  end if;
end
$func$;
