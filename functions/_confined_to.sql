-- Which company's rows this session may touch: null for all, '' for none. Everything about who is calling is
-- decided here, for the functions and for the policies behind them. The caller is the role that was set, or
-- the login, never current_user, which is our own owner. In this order: a superuser; ourselves, in an upgrade
-- or a dump; a login bound to a company, which nothing frees from it; the service; a tenant.
--
-- The session is believed, and that is wrong in one place: maintenance (autovacuum, analyze, reindex, refresh
-- materialized view) runs what an index or a view calls as its owner, in the session of a superuser. Nothing
-- tells a function that, but PostgreSQL refuses some statements there: the functions that ask begin with one
-- that does nothing elsewhere, also on a read replica. It is refused in parallel mode, too, and before
-- PostgreSQL 17 so are the claims, read in a block with an exception: whatever asks is parallel unsafe.
create or replace function _confined_to ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_caller constant name := coalesce(nullif(current_setting('role'), 'none')::name, session_user);
  v_narrowed constant text := nullif(current_setting('auth_state.company_id', true), '');
  v_bound text;
  v_other text;
begin
  -- Of the caller: a superuser who set another role is no superuser here.
  if current_setting('is_superuser') = 'on' then
    return v_narrowed;
  elsif v_caller = 'auth_state_owner' then
    return null;
  end if;

  select min(t.company_id), max(t.company_id)
    into v_bound, v_other
    from whatsapp_tenant_roles t
   where t.role_name in (v_caller, session_user);
  if v_bound is not null then
    if v_bound = v_other
       and (pg_has_role(v_caller, 'auth_state_tenant', 'USAGE') or pg_has_role(v_caller, 'auth_state_service', 'USAGE')) then
      return v_bound;
    end if;
    return '';
  end if;

  -- Before PostgreSQL 16 Supabase's own roles, which are NOINHERIT, cannot have USAGE of ours.
  if pg_has_role(v_caller, 'auth_state_service', case when v_caller = 'service_role' then 'MEMBER' else 'USAGE' end) then
    return v_narrowed;
  elsif pg_has_role(v_caller, 'auth_state_tenant', case when v_caller = 'authenticated' then 'MEMBER' else 'USAGE' end) then
    return _tenant_company(v_narrowed);
  end if;
  return '';
end
$func$;
