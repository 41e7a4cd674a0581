begin;
select plan(3);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where p.proowner = 'auth_state_owner'::regrole and a.grantee = 0
  $$,
  'no function'
);
select is_empty(
  $$
    select c.oid::regclass
    from pg_class as c
    cross join lateral aclexplode(c.relacl) as a
    where c.relowner = 'auth_state_owner'::regrole and a.grantee = 0
  $$,
  'no table'
);
select is_empty(
  $$
    select a.attrelid::regclass, a.attname
    from pg_attribute as a
    inner join pg_class as c on a.attrelid = c.oid
    where c.relowner = 'auth_state_owner'::regrole and a.attacl is not null
  $$,
  'no column, to anybody'
);

select * from finish();
rollback;
