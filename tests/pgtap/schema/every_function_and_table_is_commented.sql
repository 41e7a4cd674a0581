begin;
select plan(2);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and p.proname not like '\_%'
      and coalesce(obj_description(p.oid, 'pg_proc'), '') = ''
  $$,
  'public functions'
);
select is_empty(
  $$
    select c.oid::regclass
    from pg_class as c
    where
      c.relowner = 'auth_state_owner'::regrole
      and c.relkind in ('r', 'v')
      and coalesce(obj_description(c.oid, 'pg_class'), '') = ''
  $$,
  'tables'
);

select * from finish();
rollback;
