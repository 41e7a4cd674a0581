create or replace function auth_creds_history (p_company_id text)
returns table (version bigint, saved_at timestamptz, identity text)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  return query
  select h.version, h.saved_at, _identity(h.creds)
    from whatsapp_auth_history h
   where h.company_id = p_company_id
   order by h.version desc;
end
$func$;

comment on function auth_creds_history (text) is $$
The earlier creds of a company that are kept, newest first: their version, when they were saved, and a fingerprint of whose they are. Kept are the last 5 versions (the setting history_versions of auth_configure) and, for 30 days, the last version before each change of identity.

- `identity`: of the public keys of `noiseKey` and `signedIdentityKey`: equal for the same linked device, no secret. Encrypted creds carry it in their header; null for creds without those keys, and for a string without such a header.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
