create or replace function _assert_key_type (p_key_type text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_key_type is null or octet_length(p_key_type) not between 1 and 128 then
    raise exception using errcode = 'WA001',
      message = 'A key type is a text of 1 to 128 bytes.',
      detail = format('p_key_type is %s.', coalesce(octet_length(p_key_type) || ' bytes', 'null')),
      hint = 'Like session, pre-key or sender-key.';
  end if;
end
$func$;
