-- Creds that no function of ours would take: another program wrote them into the table, or an earlier version.
create or replace function _assert_stored_creds (p_company_id text, p_creds jsonb)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_fault constant text := _creds_fault(p_creds);
begin
  if v_fault is not null then
    raise exception using errcode = 'WA006',
      message = format('No client can use the creds that are stored for company %s.', to_json(p_company_id)),
      detail = 'creds' || v_fault || '.',
      hint = 'auth_creds_history lists earlier ones, auth_restore_creds puts them back. Without those: auth_delete_company, then pair anew.';
  end if;
end
$func$;
