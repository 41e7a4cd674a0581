-- Why no client can use these creds; null when one can. Baileys' object always has both keys; an encrypting client
-- makes a JWE in compact form (RFC 7516, 7.1) of it.
create or replace function _creds_fault (p_creds jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return case
    when p_creds is null then ' is null'
    when jsonb_typeof(p_creds) = 'object' then
      case
        when coalesce(jsonb_typeof(p_creds -> 'noiseKey'), 'null') = 'null' then '["noiseKey"] is missing'
        when coalesce(jsonb_typeof(p_creds -> 'signedIdentityKey'), 'null') = 'null' then '["signedIdentityKey"] is missing'
      end
    when jsonb_typeof(p_creds) <> 'string' then ' is a JSON ' || jsonb_typeof(p_creds)
    when _header(p_creds) is not null then null
    when p_creds #>> '{}' ~ '^[[:space:]]*[{["]' then ' is JSON text inside a JSON string: it was encoded twice'
    else ' is a string that is no JWE in compact form'
  end;
end
$func$;
