create or replace function auth_renew_lease (
  p_company_id text,
  p_token bigint,
  p_ttl interval default '60 seconds'
)
returns timestamptz
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
as $func$
declare
  v_now timestamptz;
  v_expires_at timestamptz;
begin
  perform _assert_token(p_token);
  perform _assert_ttl(p_ttl);
  v_now := _begin_write(p_company_id, p_token);
  update whatsapp_leases l
     set expires_at = v_now + p_ttl
   where l.company_id = p_company_id
  returning l.expires_at into v_expires_at;
  perform _sign_lease(p_company_id);
  return v_expires_at;
end
$func$;

comment on function auth_renew_lease (text, bigint, interval) is $$
Keeps a live lease for another `p_ttl` from now, and returns when it will end. A lease that lapsed is lost, even if nobody took it: WA002. So is one that was given in another server history (a failover, a restore): the DETAIL says so.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
