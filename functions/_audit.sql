-- Who did what: one row, never a value. An event of no company in particular has the company ''.
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
begin
  insert into whatsapp_audit (company_id, at, action, login, role, application_name, holder, rows, details)
  select p_company_id, p_now, p_action, session_user, _caller(), current_setting('application_name'),
         (select l.holder
            from whatsapp_leases l
           where l.company_id = p_company_id and l.expires_at > p_now and l.kept_in = l.tableoid),
         p_rows, p_details;
end
$func$;
