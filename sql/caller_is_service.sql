-- The common case of _confined_to without the price of its call: a service that is neither narrowed nor bound.
-- Not run: sql/build.py puts it where policies and functions say __caller_is_service__.
select coalesce(current_setting('auth_state.company_id', true), '') = ''
       and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE')
       and not exists (
         select
           from whatsapp_tenant_roles as b
          where b.role_name in (current_setting('role')::name, session_user)
       )
