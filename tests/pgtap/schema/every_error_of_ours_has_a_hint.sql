begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and regexp_count(p.prosrc, 'raise exception using errcode') <> regexp_count(p.prosrc, '\mhint = ')
  $$,
  'as many hints as raises, in every function'
);

select * from finish();
rollback;
