create or replace function _assert_positive (p_number integer, p_path text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_number is null or p_number < 1 then
    raise exception using errcode = 'WA001',
      message = 'A limit or batch size is one or more.',
      detail = format('%s is %s.', p_path, coalesce(p_number::text, 'null')),
      hint = 'Leave it out for the default.';
  end if;
end
$func$;
