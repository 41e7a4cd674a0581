-- In a session with standard_conforming_strings off it means something else, and PostgreSQL warns of it.
begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where p.proowner = 'auth_state_owner'::regrole and strpos(p.prosrc, chr(92)) > 0
  $$,
  'a pattern names its own escape character'
);

select * from finish();
rollback;
