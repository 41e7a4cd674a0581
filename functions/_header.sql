-- The protected header of creds that a client encrypted (docs/encryption.md); null for any others. The database
-- cannot verify it, the client does. Whatever is malformed has none, and is not quoted by an error.
create or replace function _header (p_creds jsonb)
returns jsonb
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_part text;
  v_header jsonb;
begin
  if jsonb_typeof(p_creds) is distinct from 'string' then
    return null;
  end if;
  -- Header, encrypted key, initialization vector, ciphertext, tag.
  v_part := translate(
    substring(p_creds #>> '{}' from '^(eyJ[A-Za-z0-9_-]*)[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+$'),
    '-_', '+/');
  v_header := convert_from(decode(rpad(v_part, (length(v_part) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb;
  return case when jsonb_typeof(v_header) = 'object' then v_header end;
exception
  when data_exception or program_limit_exceeded then
    return null;
end
$func$;
