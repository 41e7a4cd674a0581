begin;
select plan(2);

select is_empty(
  $$
    select p.oid::regprocedure
    from pg_proc as p
    where
      p.proowner = 'auth_state_owner'::regrole
      and p.proname not like '\_%'
      and p.proname <> 'auth_schema_version'
      and obj_description(p.oid, 'pg_proc') !~ 'Errors: .*Locks: '
  $$,
  'errors and locks of all but auth_schema_version'
);
select is_empty(
  $$
    select p.oid::regprocedure, a.name
    from pg_proc as p
    cross join lateral unnest(p.proargnames[1:p.pronargs]) as a (name)
    where
      p.proowner = 'auth_state_owner'::regrole
      and p.proname not like '\_%'
      and a.name not in ('p_company_id', 'p_key_type', 'p_token')
      and strpos(obj_description(p.oid, 'pg_proc'), '`' || a.name || '`') = 0
  $$,
  'every argument that says more than its name'
);

select * from finish();
rollback;
