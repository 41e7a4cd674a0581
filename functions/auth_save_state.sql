create or replace function auth_save_state (
  p_company_id text,
  p_creds jsonb,
  p_data jsonb,
  p_lease_token bigint default null,
  p_expected_version bigint default null,
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
  v_version bigint;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  v_version := _write_creds(p_company_id, p_creds, p_expected_version, p_allow_new_identity, v_now);
  perform _write_keys(p_company_id, p_data, v_now);
  return v_version;
end
$func$;

comment on function auth_save_state (text, jsonb, jsonb, bigint, bigint, boolean) is $$
Saves creds and a batch of keys, all or nothing, and returns the version of the creds.

- `p_creds`, `p_expected_version`, `p_allow_new_identity`: as in auth_save_creds.
- `p_data`: as in auth_set_keys.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001 with the path at fault, WA002, WA003, WA005, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
