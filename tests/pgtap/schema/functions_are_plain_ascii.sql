-- In a database of another encoding nothing else could be said.
begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and (pg_get_functiondef(p.oid) ~ '[^\x01-\x7f]' or obj_description(p.oid, 'pg_proc') ~ '[^\x01-\x7f]')
  $$,
  'code, messages and comments'
);

select * from finish();
rollback;
