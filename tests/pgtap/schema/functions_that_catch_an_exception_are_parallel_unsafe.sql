-- PostgreSQL refuses a subtransaction while it works in parallel.
begin;
select plan(2);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where p.proowner = 'auth_state_owner'::regrole and p.prosrc ~ '\mexception\s+when\M' and p.proparallel <> 'u'
  $$,
  'helpers too'
);
-- A function that is called in parallel calls the others there.
select is_empty(
  $$
    with recursive unsafe (oid, name) as (
      select p.oid, p.proname::text
      from pg_proc as p
      where p.proowner = 'auth_state_owner'::regrole and p.prosrc ~ '\mexception\s+when\M|\munlisten\M'
      union
      select p.oid, p.proname::text
      from pg_proc as p
      inner join unsafe as u on p.prosrc ~ ('\m' || u.name || ' ?[(]')
      where p.proowner = 'auth_state_owner'::regrole
    )
    select u.oid::regprocedure from unsafe as u inner join pg_proc as p on u.oid = p.oid where p.proparallel <> 'u'
  $$,
  'and who calls one'
);

select * from finish();
rollback;
