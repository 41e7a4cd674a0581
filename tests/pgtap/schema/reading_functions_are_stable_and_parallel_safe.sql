begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure, p.provolatile, p.proparallel
    from pg_proc as p
    where
      p.pronamespace = 'public'::regnamespace
      and p.proname in (
        'auth_get_creds', 'auth_creds_version', 'auth_get_keys', 'auth_list_keys', 'auth_list_companies', 'auth_export',
        'auth_stats', 'auth_status'
      )
      and (p.provolatile <> 's' or p.proparallel <> 's')
  $$,
  'they run on a read replica, and in a plan of workers'
);

select * from finish();
rollback;
