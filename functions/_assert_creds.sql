create or replace function _assert_creds (
  p_creds jsonb,
  p_path text,
  p_hint text default 'Pass creds.json whole, as an object. Logging out is auth_delete_company.'
)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_fault constant text := _creds_fault(p_creds);
begin
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'Creds are a JSON object with noiseKey and signedIdentityKey, or a JWE when a client encrypted them.',
      detail = p_path || v_fault || '.',
      hint = p_hint;
  end if;
end
$func$;
