create or replace function auth_list_audit (
  p_company_id text default null,
  p_before timestamptz default null,
  p_limit integer default 1000
)
returns table (
  at timestamptz,
  company_id text,
  action text,
  login name,
  on_behalf_of text,
  role name,
  application_name text,
  holder text,
  rows bigint,
  details jsonb
)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_company constant text := _listed(p_company_id, true);
begin
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select a.at, nullif(a.company_id, ''), a.action, a.login, a.on_behalf_of, a.role, a.application_name, a.holder, a.rows, a.details
    from whatsapp_audit a
   where (v_company is null or a.company_id = v_company) and a.at < coalesce(p_before, 'infinity')
   order by a.at desc
   fetch first p_limit rows with ties;
end
$func$;

comment on function auth_list_audit (text, timestamptz, integer) is $$
The audit log, newest first: when, which company (null: none in particular), what, who (`login` is session_user, `on_behalf_of` for whom a service or a proxy said it acts by `set auth_state.on_behalf_of`, `role` the one that was set), from which application, under whose lease, how many rows, and `details`. Never a key id or a value. Kept for 90 days, or as long as the setting audit_retention of auth_configure says.

Actions: creds_created, creds_new_identity, creds_restored, history_forgotten, imported, keys_cleared, company_deleted, lease_acquired (by somebody new), lease_stolen, lease_released, ttl_changed, role_bound, role_unbound, configured, cleanup. Of one company and action, 100 events in a day get a row; `details` of the last one counts the others as `repeated`, `until` when.

- `p_company_id`: null for all that the caller may see.
- `p_before`: events older than this; for the next page the `at` of the last row.
- `p_limit`: rows of a page, one or more; events of the same instant are not torn apart.

For the service and for auth_state_monitor. Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
