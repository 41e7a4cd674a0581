-- A fingerprint of who creds are, made of the public halves of the keys that WhatsApp knows the account by.
-- Encrypted ones carry it in their header. Null where there are none to read.
create or replace function _identity (p_creds jsonb)
returns text
language sql
immutable
parallel unsafe
set search_path from current
as $func$
  select case jsonb_typeof(p_creds)
           when 'object' then left(encode(sha256(convert_to(
             coalesce(c.noise #>> '{public,data}', c.noise #>> '{public}', c.noise #>> '{}') || '.'
             || coalesce(c.own #>> '{public,data}', c.own #>> '{public}', c.own #>> '{}'), 'UTF8')), 'hex'), 32)
           when 'string' then substring(_header(p_creds) ->> 'identity' from '^[0-9a-f]{32}$')
         end
    from (select p_creds -> 'noiseKey' as noise, p_creds -> 'signedIdentityKey' as own) c
$func$;
