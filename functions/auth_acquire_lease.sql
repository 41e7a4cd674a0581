create or replace function auth_acquire_lease (
  p_company_id text,
  p_holder text,
  p_ttl interval default '60 seconds',
  p_steal boolean default false
)
returns table (acquired boolean, token bigint, holder text, expires_at timestamptz)
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
as $func$
declare
  v_now timestamptz;
  v_lease record;
begin
  if p_holder is null or octet_length(p_holder) not between 1 and 256 then
    raise exception using errcode = 'WA001',
      message = 'A lease holder is a text of 1 to 256 bytes.',
      detail = format('p_holder is %s.', coalesce(octet_length(p_holder) || ' bytes', 'null')),
      hint = 'Pass a name that is this process''s own, like its host name and process id.';
  end if;
  perform _assert_ttl(p_ttl);
  v_now := _enter_company(p_company_id);
  select l.token, l.holder, l.expires_at, l.expires_at > v_now and l.kept_in = l.tableoid as is_live
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;
  if v_lease.is_live and v_lease.holder <> p_holder and p_steal is not true then
    return query select false, null::bigint, v_lease.holder, v_lease.expires_at;
    return;
  end if;
  return query
  insert into whatsapp_leases as l (company_id, holder, token, acquired_at, expires_at)
  values (p_company_id, p_holder, _next_number(v_lease.token, v_now), v_now, v_now + p_ttl)
  on conflict (company_id) do update
     set holder = excluded.holder, token = excluded.token, acquired_at = excluded.acquired_at,
         expires_at = excluded.expires_at, kept_in = excluded.kept_in
  returning true, l.token, l.holder, l.expires_at;
  if v_lease.holder is distinct from p_holder then
    perform _audit(p_company_id, case when v_lease.is_live then 'lease_stolen' else 'lease_acquired' end, v_now, null,
                   case when v_lease.holder is not null then jsonb_build_object('from', v_lease.holder) end);
  end if;
end
$func$;

comment on function auth_acquire_lease (text, text, interval, boolean) is $$
Takes the right to write a company, for a time. While a lease is live, every writing function of the company wants its token. One row: `acquired`, the fencing `token`, `holder` and `expires_at`; when somebody else holds it, `acquired` is false, `token` null and the other two are theirs.

The same holder asking again (a restarted process) gets a new token at once, and its old one is stale. A token never comes back.

- `p_holder`: 1 to 256 bytes, a name of this process's own.
- `p_ttl`: above zero; renew with auth_renew_lease well before it is over.
- `p_steal`: take it from whoever holds it.

A new holder is noted in the audit log.

Errors: WA001, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
