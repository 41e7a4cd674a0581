-- A fingerprint of who creds are, made of the public halves of the keys that WhatsApp knows the account by.
-- Null where there are none to read.
create or replace function _identity (p_creds jsonb)
returns text
language sql
immutable
parallel safe
set search_path from current
as $func$
  select left(encode(sha256(convert_to(coalesce(c.noise -> 'public', c.noise)::text || coalesce(c.own -> 'public', c.own)::text,
                                       'UTF8')), 'hex'), 32)
    from (select p_creds -> 'noiseKey' as noise, p_creds -> 'signedIdentityKey' as own) c
   where jsonb_typeof(p_creds) = 'object'
$func$;
