create or replace function _assert_token (p_token bigint)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_token is null then
    raise exception using errcode = 'WA001',
      message = 'A lease token is needed.',
      detail = 'p_token is null.',
      hint = 'Pass the token that auth_acquire_lease gave.';
  end if;
end
$func$;
