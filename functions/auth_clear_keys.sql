create or replace function auth_clear_keys (
  p_company_id text,
  p_key_type text default null,
  p_lease_token bigint default null
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
  v_deleted bigint;
begin
  if p_key_type is not null then
    perform _assert_key_type(p_key_type);
  end if;
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_keys k
   where k.company_id = p_company_id and (p_key_type is null or k.key_type = p_key_type);
  get diagnostics v_deleted = row_count;
  if v_deleted > 0 then
    perform _audit(p_company_id, 'keys_cleared', v_now, v_deleted, jsonb_build_object('key_type', p_key_type));
  else
    perform _assert_policies();
  end if;
  return v_deleted;
end
$func$;

comment on function auth_clear_keys (text, text, bigint) is $$
Deletes a company's keys of one type, or all of them, and returns how many. The creds stay.

- `p_key_type`: null for all types.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
