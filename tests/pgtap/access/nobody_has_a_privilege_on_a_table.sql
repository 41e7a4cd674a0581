begin;
select plan(2);

select is_empty(
  $$
    select c.oid::regclass, a.grantee::regrole, a.privilege_type
    from pg_class as c
    cross join lateral aclexplode(c.relacl) as a
    where c.relowner = 'auth_state_owner'::regrole and a.grantee <> c.relowner
  $$,
  'by a grant'
);
select is_empty(
  $$
    select r.rolname, c.oid::regclass
    from pg_roles as r
    cross join pg_class as c
    where
      not r.rolsuper
      and r.rolname not like 'pg\_%'
      and r.rolname <> 'auth_state_owner'
      and c.relowner = 'auth_state_owner'::regrole
      and c.relkind in ('r', 'v', 'S')
      and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
  $$,
  'nor by a membership: not app, and not the installer'
);

select * from finish();
rollback;
