create or replace function _assert_company_id (p_company_id text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_company_id is null or octet_length(p_company_id) not between 1 and 256 then
    raise exception using errcode = 'WA001',
      message = 'A company id is a text of 1 to 256 bytes.',
      detail = format('p_company_id is %s.', coalesce(octet_length(p_company_id) || ' bytes', 'null')),
      hint = 'Pass the id that this account is kept under.';
  end if;
end
$func$;
