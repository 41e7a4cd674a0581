begin;
select plan(3);

select is_empty(
  $$
    select *
    from pg_roles as r
    where
      r.rolname in ('auth_state_owner', 'auth_state_service')
      and (r.rolcanlogin or r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
  $$,
  'no login, superuser, bypassrls, createrole, createdb, replication; nor has the service'
);
select is_empty(
  $$
    select m.member::regrole
    from pg_auth_members as m
    where
      m.roleid = 'auth_state_owner'::regrole
      and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
  $$,
  'nobody has its privileges'
);
select is_empty(
  $$
    select m.member::regrole
    from pg_auth_members as m
    where
      m.roleid = 'auth_state_owner'::regrole
      and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
  $$,
  'and nobody may become it'
);

select * from finish();
rollback;
