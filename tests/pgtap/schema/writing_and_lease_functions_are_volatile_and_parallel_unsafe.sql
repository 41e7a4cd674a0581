begin;
select plan(1);

select is_empty(
  $$
    select p.oid::regprocedure, p.provolatile, p.proparallel
    from pg_proc as p
    where
      p.pronamespace = 'public'::regnamespace
      and p.proname in (
        'auth_init_creds', 'auth_save_creds', 'auth_set_keys', 'auth_save_state', 'auth_clear_keys', 'auth_delete_company', 'auth_forget_history',
        'auth_import', 'cleanup_expired_keys', 'auth_set_ttl', 'auth_schedule_cleanup', 'auth_unschedule_cleanup',
        'auth_acquire_lease', 'auth_renew_lease', 'auth_release_lease'
      )
      and (p.provolatile <> 'v' or p.proparallel <> 'u')
  $$,
  'each of their statements sees what was committed before it'
);

select * from finish();
rollback;
