-- The names in a SQL-standard body are bound when it is made.
begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure, p.proconfig
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and p.prosqlbody is null
      and 'search_path=public, pg_temp' <> all (coalesce(p.proconfig, '{}'))
  $$,
  'helpers too'
);

select * from finish();
rollback;
