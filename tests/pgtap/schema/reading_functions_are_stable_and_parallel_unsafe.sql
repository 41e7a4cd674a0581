begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure, p.provolatile, p.proparallel
    from pg_proc as p
    where
      p.pronamespace = 'public'::regnamespace
      and p.proname in (
        'auth_get_creds', 'auth_creds_version', 'auth_creds_history', 'auth_get_keys', 'auth_list_keys', 'auth_list_companies',
        'auth_list_audit', 'auth_list_leases', 'auth_export', 'auth_stats', 'auth_status'
      )
      and (p.provolatile <> 's' or p.proparallel <> 'u')
  $$,
  'they run on a read replica; who is calling cannot be found out in parallel mode'
);

select * from finish();
rollback;
