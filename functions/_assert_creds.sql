create or replace function _assert_creds (p_creds jsonb, p_path text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_creds is null or jsonb_typeof(p_creds) not in ('object', 'string') then
    raise exception using errcode = 'WA001',
      message = 'Creds are a JSON object, or a JSON string when they are encrypted.',
      detail = format('%s is %s.', p_path, coalesce('a JSON ' || jsonb_typeof(p_creds), 'null')),
      hint = 'Pass creds.json whole. Logging out is auth_delete_company.';
  end if;
end
$func$;
