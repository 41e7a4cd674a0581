create or replace function auth_forget_history (
  p_company_id text,
  p_kept_kid text default null,
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
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_auth_history h
   where h.company_id = p_company_id and (p_kept_kid is null or _header(h.creds) ->> 'kid' is distinct from p_kept_kid);
  get diagnostics v_deleted = row_count;
  if v_deleted > 0 then
    perform _audit(p_company_id, 'history_forgotten', v_now, v_deleted);
  else
    perform _assert_policies();
  end if;
  return v_deleted;
end
$func$;

comment on function auth_forget_history (text, text, bigint) is $$
Deletes the earlier creds of a company that are kept, and returns how many; the present ones stay. After it there is no way back to them. For creds that must not be there any more: plain ones of an account that is encrypted now, or those under a key that is to be destroyed. Audited.

- `p_kept_kid`: encrypted creds under the key of this name stay; null for none.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
