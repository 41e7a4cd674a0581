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
  v_is_live boolean := false;
begin
  v_now := _enter_company(p_company_id);
  select l.token, l.holder, l.expires_at, l.given_in, l.written_by, l.xmin as written_in
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;
  if v_lease.token is not null then
    v_is_live := _is_live(v_lease.expires_at, v_lease.given_in, v_lease.written_by, v_lease.written_in, v_now);
  end if;
  if p_lease_token is not null then
    if v_lease.token is distinct from p_lease_token or not v_is_live then
      perform _refuse_token(p_company_id, p_lease_token, v_now);
    end if;
  elsif v_is_live then
    raise exception using errcode = 'WA002',
      message = format('Company %s is under a lease.', to_json(p_company_id)),
      detail = format('%s holds it until %s.', to_json(v_lease.holder), v_lease.expires_at),
      hint = 'Pass the token that auth_acquire_lease gave as p_lease_token, or wait until the lease has ended.';
  elsif v_lease.written_by is not null then
    -- From here on somebody else has written: the last holder cannot go on as if nobody had.
    update whatsapp_leases l
       set written_by = null
     where l.company_id = p_company_id;
  end if;
  return v_now;
end
$func$;
