create or replace function auth_acquire_lease (
  p_company_id text,
  p_holder text,
  p_ttl interval default '60 seconds',
  p_steal boolean default false,
  p_token bigint default null
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
  v_is_taken boolean;
begin
  if p_holder is null or octet_length(p_holder) not between 1 and 256 then
    raise exception using errcode = 'WA001',
      message = 'A lease holder is a text of 1 to 256 bytes.',
      detail = format('p_holder is %s.', coalesce(octet_length(p_holder) || ' bytes', 'null')),
      hint = 'Pass a name that no other process has at the same time, like the name of the service and the machine.';
  end if;
  perform _assert_ttl(p_ttl);
  v_now := _enter_company(p_company_id);
  select l.token,
         l.holder,
         l.expires_at,
         l.retake_after,
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now) as is_live,
         l.token = p_token and l.holder = p_holder and coalesce(l.written_by = l.xmin, false)
         and _is_of_this_database(l.given_in) as is_resumed
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;

  v_is_taken := v_lease.is_live and p_token is null and (v_lease.holder <> p_holder or v_lease.retake_after > v_now);
  if p_token is not null and v_lease.is_resumed is not true or v_is_taken and p_steal is not true then
    -- Who goes on asking for a lease of its own name is a second process, not one that was restarted.
    if v_lease.holder = p_holder and v_lease.retake_after < v_now + p_ttl / 2 and v_is_taken then
      update whatsapp_leases l
         set retake_after = v_now + p_ttl
       where l.company_id = p_company_id;
      perform _sign_lease(p_company_id);
    elsif v_lease.token is null then
      perform _assert_policies();
    end if;
    return query select false, null::bigint, v_lease.holder, v_lease.expires_at;
    return;
  end if;

  insert into whatsapp_leases as l (company_id, holder, token, acquired_at, expires_at, given_in, retake_after)
  values (
    p_company_id, p_holder, _next_number(v_lease.token, v_now), v_now, v_now + p_ttl, _server_history(),
    case when v_lease.is_live and v_lease.holder = p_holder then
      case when p_token is null then v_now + p_ttl else v_lease.retake_after end
    end
  )
  on conflict (company_id) do update
     set holder = excluded.holder, token = excluded.token, acquired_at = excluded.acquired_at,
         expires_at = excluded.expires_at, given_in = excluded.given_in, retake_after = excluded.retake_after;
  perform _sign_lease(p_company_id);
  if v_lease.holder is distinct from p_holder or v_is_taken then
    perform _audit(p_company_id, case when v_lease.is_live then 'lease_stolen' else 'lease_acquired' end, v_now, null,
                   case when v_lease.holder is not null then jsonb_build_object('from', v_lease.holder) end);
  end if;
  return query
  select true, l.token, l.holder, l.expires_at
    from whatsapp_leases l
   where l.company_id = p_company_id;
end
$func$;

comment on function auth_acquire_lease (text, text, interval, boolean, bigint) is $$
Takes the right to write a company, for a time. While a lease is live, every writing function of the company needs its token. One row: `acquired`, the fencing `token`, `holder` and `expires_at`. When the lease was not acquired, `acquired` is false, `token` is null, and the other two are those of the present or last lease, or null.

A token never comes back. A lease ends with the server history in which it was given: after a failover, a point-in-time recovery, a restore or a copy it is over, and the first write under it is WA002.

The same holder asking again (a restarted process) gets a new token at once, and its old one is stale. Over a live lease of its own name it does so only once in the ttl: a second process under the same name is told that its own name holds the lease, for as long as it goes on asking.

- `p_holder`: 1 to 256 bytes, a name that no other process has at the same time.
- `p_ttl`: above zero; renew with auth_renew_lease well before it is over.
- `p_steal`: take it from whoever holds it.
- `p_token`: resume. The lease is acquired only if the last one was this holder's with this token, live or not, and no writing function was called without it since. A client that holds the account in memory may then go on. After a failover it first writes again what it wrote lately.

A new holder is noted in the audit log.

Errors: WA001, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
