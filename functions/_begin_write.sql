-- What every writing function does first: enters the company, then checks the lease.
create or replace function _begin_write (p_company_id text, p_lease_token bigint)
returns timestamptz
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_lease record;
begin
  v_now := _enter_company(p_company_id);
  select l.token, l.holder, l.expires_at
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id and l.expires_at > v_now and l.kept_in = l.tableoid;
  if p_lease_token is not null and v_lease.token is distinct from p_lease_token then
    raise exception using errcode = 'WA002',
      message = format('The lease on company %s is lost.', to_json(p_company_id)),
      detail = coalesce(to_json(v_lease.holder)::text || ' holds it until ' || v_lease.expires_at || '.',
                        'Nobody holds it now, but somebody may have held it and written.'),
      hint = 'Stop, call auth_acquire_lease, read the state again, then go on with the new token.';
  elsif p_lease_token is null and v_lease.token is not null then
    raise exception using errcode = 'WA002',
      message = format('Company %s is under a lease.', to_json(p_company_id)),
      detail = format('%s holds it until %s.', to_json(v_lease.holder), v_lease.expires_at),
      hint = 'Pass the token that auth_acquire_lease gave as p_lease_token, or wait until the lease has ended.';
  end if;
  return v_now;
end
$func$;
