begin;
select plan(1);

set local role auth_state_owner;
create function public.auth_added_later() returns integer language sql immutable as 'select 1';
reset role;

select is_empty(
  $$
    select *
    from pg_proc as p
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where p.proname = 'auth_added_later' and a.grantee = 0
  $$,
  'the owner''s default privileges say so'
);

select * from finish();
rollback;
