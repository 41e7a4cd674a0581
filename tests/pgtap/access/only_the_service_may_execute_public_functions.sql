begin;
select plan(2);

select is_empty(
  $$
    select p.oid::regprocedure, a.grantee::regrole
    from pg_proc as p
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where
      p.proowner = 'auth_state_owner'::regrole
      and (a.grantee not in (p.proowner, 'auth_state_service'::regrole) or a.is_grantable and a.grantee <> p.proowner)
  $$,
  'nobody else may, and the service may not pass it on'
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

select * from finish();
rollback;
