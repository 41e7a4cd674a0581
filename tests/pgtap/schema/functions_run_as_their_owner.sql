-- The three about pg_cron run as the caller: a job belongs to whoever schedules it.
begin;
select plan(1);

select set_eq(
  $$
    select p.proname::text
    from pg_proc as p
    where p.proowner = 'auth_state_owner'::regrole and p.proname not like '\_%' and not p.prosecdef
  $$,
  array['auth_schedule_cleanup', 'auth_unschedule_cleanup', 'auth_cleanup_job'],
  'every other public function is SECURITY DEFINER'
);

select * from finish();
rollback;
