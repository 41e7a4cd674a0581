-- Whether these creds are somebody else than those, to the identity guard: both halves of both keys count. Fingerprints
-- are made only where one of the two is encrypted.
create or replace function _is_new_identity (p_old jsonb, p_new jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return (p_old -> 'noiseKey' = p_new -> 'noiseKey' and p_old -> 'signedIdentityKey' = p_new -> 'signedIdentityKey') is not true
         and case
               when jsonb_typeof(p_old) = 'object' and jsonb_typeof(p_new) = 'object' then
                 (_is_same_key(p_old -> 'noiseKey', p_new -> 'noiseKey')
                  and _is_same_key(p_old -> 'signedIdentityKey', p_new -> 'signedIdentityKey')) is not true
               else _identity(p_old) is distinct from _identity(p_new)
             end;
end
$func$;
