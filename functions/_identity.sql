-- A fingerprint of who creds are, made of the public halves of the keys that WhatsApp knows the account by.
-- Encrypted ones carry it in their header. Null where there are none to read.
create or replace function _identity (p_creds jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_noise constant jsonb := p_creds -> 'noiseKey';
  v_own constant jsonb := p_creds -> 'signedIdentityKey';
begin
  if jsonb_typeof(p_creds) = 'string' then
    return substring(_header(p_creds) ->> 'identity' from '^[0-9a-f]{32}$');
  end if;
  return left(encode(sha256(convert_to(
    coalesce(_buffer(v_noise -> 'public'), v_noise #>> '{public,data}', v_noise #>> '{public}', v_noise #>> '{}') || '.'
    || coalesce(_buffer(v_own -> 'public'), v_own #>> '{public,data}', v_own #>> '{public}', v_own #>> '{}'), 'UTF8')), 'hex'), 32);
end
$func$;
