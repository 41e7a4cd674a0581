create or replace function auth_list_leases (p_after text default null, p_limit integer default 1000)
returns table (company_id text, holder text, acquired_at timestamptz, expires_at timestamptz, is_live boolean)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_company constant text := _listed(null, true);
  v_now constant timestamptz := _now();
begin
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select l.company_id, l.holder, l.acquired_at, l.expires_at, 
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now)
    from whatsapp_leases l
   where l.company_id > coalesce(p_after, '') and (v_company is null or l.company_id = v_company)
   order by l.company_id
   limit p_limit;
end
$func$;

comment on function auth_list_leases (text, integer) is $$
One page of the leases the caller may see, by company in byte order: who holds each, since when, until when, and whether it is live; on a standby as its primary has it; for about a day also who held it last. Never a token.

- `p_after`: list companies greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.

For the service and for auth_state_monitor. Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
