begin;
select plan(1);

select is_empty(
  $$
    select r.rolname, p.oid::regprocedure
    from pg_roles as r
    cross join pg_proc as p
    where
      not r.rolsuper
      and r.rolname <> 'auth_state_owner'
      and p.proowner = 'auth_state_owner'::regrole
      and p.proname like '\_%'
      and has_function_privilege(r.oid, p.oid, 'execute')
  $$,
  'not even the service'
);

select * from finish();
rollback;
