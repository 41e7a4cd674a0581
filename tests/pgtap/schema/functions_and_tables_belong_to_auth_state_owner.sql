begin;
select plan(2);

select is_empty(
  $$
    select p.oid::regprocedure, p.proowner::regrole
    from pg_proc as p
    where p.pronamespace = 'public'::regnamespace and p.proowner <> 'auth_state_owner'::regrole
  $$,
  'functions'
);
select is_empty(
  $$
    select c.oid::regclass, c.relowner::regrole
    from pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relowner <> 'auth_state_owner'::regrole
  $$,
  'tables, indexes, sequences, views'
);

select * from finish();
rollback;
