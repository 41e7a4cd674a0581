-- Whether these creds are somebody else than those. Fingerprints are made only where the keys differ.
create or replace function _is_new_identity (p_old jsonb, p_new jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return (p_old -> 'noiseKey' = p_new -> 'noiseKey' and p_old -> 'signedIdentityKey' = p_new -> 'signedIdentityKey') is not true
         and _identity(p_old) is distinct from _identity(p_new);
end
$func$;
