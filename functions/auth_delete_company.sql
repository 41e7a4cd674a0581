create or replace function auth_delete_company (p_company_id text, p_lease_token bigint default null)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_keys bigint;
  v_creds bigint;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_keys k where k.company_id = p_company_id;
  get diagnostics v_keys = row_count;
  delete from whatsapp_auth a where a.company_id = p_company_id;
  get diagnostics v_creds = row_count;
  delete from whatsapp_auth_history h where h.company_id = p_company_id;
  if v_keys + v_creds > 0 then
    perform _audit(p_company_id, 'company_deleted', v_now, v_keys + v_creds);
  else
    perform _assert_policies();
  end if;
  delete from whatsapp_leases l where l.company_id = p_company_id;
  return v_keys + v_creds;
end
$func$;

comment on function auth_delete_company (text, bigint) is $$
Logout: deletes everything of a company, its lease and its history included, and returns how many rows of creds and keys that was; 0 when there was nothing. The audit log keeps that it was there. The legitimate way to a new identity is this, then auth_init_creds.

- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
