create or replace function auth_save_creds (
  p_company_id text,
  p_creds jsonb,
  p_expected_version bigint default null,
  p_lease_token bigint default null,
  p_allow_new_identity boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  return _write_creds(p_company_id, p_creds, p_expected_version, p_allow_new_identity, v_now);
end
$func$;

comment on function auth_save_creds (text, jsonb, bigint, bigint, boolean) is $$
Saves the creds of a company whole and returns their version. Unchanged creds keep theirs, and nothing is written.

- `p_creds`: a JSON object with `noiseKey` and `signedIdentityKey`, or a string, the JWE that an encrypting client made of one.
- `p_expected_version`: save only if the stored creds are at this version, otherwise WA003.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.
- `p_allow_new_identity`: paired creds (`account`, or a `me.id` with a device) are not replaced by ones whose `noiseKey` or `signedIdentityKey` differs or is missing: WA005. Encrypted ones tell both in their header, and a string without one is no identity. True lifts that.

Errors: WA001, WA002, WA003, WA005, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
