-- Unsafe: whether a tenant's claims can be read is tried in a subtransaction, which no parallel plan may have.
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
        'auth_stats', 'auth_status', 'auth_creds_history', 'auth_list_leases', 'auth_list_audit'
      )
      and (p.provolatile <> 's' or p.proparallel <> 'u')
  $$,
  'they run on a read replica, and never in a parallel plan'
);

select * from finish();
rollback;
