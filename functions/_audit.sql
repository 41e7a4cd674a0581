-- Who did what: one row, never a value. An event of no company in particular has the company ''. A tenant could
-- fill the log: of what one caller does to one company 100 events of an action get a row in a day, the others of that
-- day are counted in the last.
create or replace function _audit (
  p_company_id text,
  p_action text,
  p_now timestamptz,
  p_rows bigint,
  p_details jsonb default null
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_most constant integer := 100;
  v_audit_ids bigint[];
begin
  if p_company_id <> '' then
    v_audit_ids := array(
      select a.audit_id
        from whatsapp_audit a
       where a.company_id = p_company_id and a.at > p_now - interval '1 day' and a.action = p_action
         and a.login = session_user and a.role = _caller() and a.on_behalf_of is not distinct from _on_behalf_of()
       order by a.at desc, a.audit_id desc
       limit v_most);
  end if;
  if cardinality(v_audit_ids) = v_most then
    update whatsapp_audit a
       set rows = a.rows + p_rows,
           details = coalesce(a.details, '{}') || jsonb_build_object(
             'repeated', coalesce((a.details ->> 'repeated')::bigint, 0::bigint) + 1::bigint, 'until', _utc(p_now))
     where a.company_id = p_company_id and a.at > p_now - interval '1 day' and a.audit_id = v_audit_ids[1];
    return;
  end if;
  insert into whatsapp_audit (
    company_id, at, action, login, on_behalf_of, role, application_name, holder, rows, details
  )
  select p_company_id, p_now, p_action, session_user, _on_behalf_of(), _caller(), current_setting('application_name'),
         (select l.holder
            from whatsapp_leases l
           where l.company_id = p_company_id and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now)),
         p_rows, p_details;
end
$func$;
