create or replace function auth_set_keys (
  p_company_id text,
  p_data jsonb,
  p_lease_token bigint default null
)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  return _write_keys(p_company_id, p_data, v_now);
end
$func$;

comment on function auth_set_keys (text, jsonb, bigint) is $$
Writes a batch of keys, all or none, and returns how many rows really changed: `{"session": {"1.0": {...}}, "pre-key": {"7": null}}`; null deletes. A value that is there already writes no row and is not counted; where its type has a ttl it is renewed, at most once a day.

- `p_data`: a JSON object of key types (1 to 128 bytes), each an object of key ids (1 to 1024 bytes) and values, any JSON. Kept as sent, up to what jsonb normalises.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001 with the path at fault, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
