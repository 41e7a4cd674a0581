begin;
select plan(3);

select is_empty(
  $$
    select p.oid::regprocedure, a.grantee::regrole
    from pg_proc as p
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where
      p.proowner = 'auth_state_owner'::regrole
      and a.grantee <> p.proowner
      and (
        a.grantee not in ('auth_state_service'::regrole, 'auth_state_tenant'::regrole, 'auth_state_monitor'::regrole)
        or a.is_grantable
      )
  $$,
  'nobody else may, and none of them may pass it on'
);
select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and p.proname not like '\_%'
      and not has_function_privilege('auth_state_service', p.oid, 'execute')
  $$,
  'the service may execute all of them'
);
select set_eq(
  $$
    select r.rolname::text, p.proname::text
    from pg_proc as p
    cross join pg_roles as r
    where
      p.proowner = 'auth_state_owner'::regrole
      and (
        r.rolname = 'auth_state_monitor' and has_function_privilege(r.oid, p.oid, 'execute')
        or r.rolname = 'auth_state_tenant' and p.proname not like '\_%' and not has_function_privilege(r.oid, p.oid, 'execute')
      )
  $$,
  $$
    values
    ('auth_state_monitor', 'auth_stats'), ('auth_state_monitor', 'auth_list_leases'), ('auth_state_monitor', 'auth_list_audit'),
    ('auth_state_monitor', 'auth_schema_version'),
    ('auth_state_tenant', 'auth_list_companies'), ('auth_state_tenant', 'auth_set_ttl'), ('auth_state_tenant', 'auth_schedule_cleanup'),
    ('auth_state_tenant', 'auth_unschedule_cleanup'), ('auth_state_tenant', 'auth_cleanup_job'), ('auth_state_tenant', 'auth_status'),
    ('auth_state_tenant', 'auth_bind_role'), ('auth_state_tenant', 'auth_unbind_role'), ('auth_state_tenant', 'auth_list_leases'),
    ('auth_state_tenant', 'auth_list_audit'), ('auth_state_tenant', 'auth_configure')
  $$,
  'a monitor those that show numbers; a tenant all but those of all companies'
);

select * from finish();
rollback;
