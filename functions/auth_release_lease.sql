create or replace function auth_release_lease (p_company_id text, p_token bigint)
returns boolean
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  perform _assert_token(p_token);
  v_now := _enter_company(p_company_id);
  -- Before, while it names the holder. The row stays, ended, so that the next token is greater than this one.
  perform _audit(p_company_id, 'lease_released', v_now, null)
     from whatsapp_leases l
    where l.company_id = p_company_id and l.token = p_token
      and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now);
  update whatsapp_leases l
     set expires_at = v_now
   where l.company_id = p_company_id and l.token = p_token
     and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now);
  if not found then
    return false;
  end if;
  perform _sign_lease(p_company_id);
  return true;
end
$func$;

comment on function auth_release_lease (text, bigint) is $$
Gives a lease back at once. True when it was this token's and live, false when it had been lost already.

Errors: WA001, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
