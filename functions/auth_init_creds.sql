create or replace function auth_init_creds (
  p_company_id text,
  p_creds jsonb,
  p_lease_token bigint default null
)
returns jsonb
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_creds jsonb;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  select a.creds into v_creds from whatsapp_auth a where a.company_id = p_company_id;
  if v_creds is null then
    perform _write_creds(p_company_id, p_creds, null, false, v_now);
    return p_creds;
  end if;
  perform _assert_stored_creds(p_company_id, v_creds);
  return v_creds;
end
$func$;

comment on function auth_init_creds (text, jsonb, bigint) is $$
Stores `p_creds` only if the company has none, and returns the creds that won: yours, or the ones that were there. Two processes that start together end with the same identity.

- `p_creds`: a JSON object with `noiseKey` and `signedIdentityKey`, or a string, the JWE that an encrypting client made of one.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level, stored creds that no client can use), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
