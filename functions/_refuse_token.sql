-- Says why a token is not that of a live lease.
create or replace function _refuse_token (p_company_id text, p_token bigint, p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_lease record;
begin
  perform _assert_policies();
  select l.token = p_token
         and (coalesce(l.written_by <> l.xmin, false) or not _is_of_this_database(l.given_in)) as is_a_copy,
         l.token = p_token and l.given_in <> _server_history() as is_of_another_history,
         l.token = p_token and coalesce(l.written_by = l.xmin, false) and l.given_in = _server_history() as is_over,
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now) as is_live,
         l.holder,
         l.expires_at
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;
  raise exception using errcode = 'WA002',
    message = format('The lease on company %s is lost.', to_json(p_company_id)),
    detail = case
      when v_lease.is_a_copy then
        'It was given before a dump or a copy that was restored here: what was written last may be missing.'
      when v_lease.is_of_another_history then
        'The server was replaced since it was given (failover, recovery or copy): what was written last may be missing.'
      when v_lease.is_live then
        format('%s holds it until %s.', to_json(v_lease.holder), v_lease.expires_at)
      when v_lease.is_over then format('It ended at %s. Nobody has held it or written since.', v_lease.expires_at)
      else 'Nobody holds it now, but somebody may have held it and written.'
    end,
    hint = case
      when v_lease.is_of_another_history and not v_lease.is_a_copy then
        'Call auth_acquire_lease with this token as p_token. If it is acquired, nobody wrote in between: write again what '
        'you wrote lately, then go on. If not, stop, and read the state again.'
      when v_lease.is_over then
        'Call auth_acquire_lease with this token as p_token. If it is acquired, nobody wrote in between: go on. If not, stop, '
        'and read the state again.'
      else 'Stop, call auth_acquire_lease, read the state again, then go on with the new token.'
    end;
end
$func$;
