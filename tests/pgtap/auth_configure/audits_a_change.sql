begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_configure('lock_wait', '1s');
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_configure('lock_wait', null);
select results_eq(
  $$select a.company_id, a.action, a.role, a.details from auth_list_audit() as a order by a.at$$,
  $$
    values
    (null, 'configured', 'app'::name, '{"setting": "lock_wait", "from": "5s", "to": "1s"}'::jsonb),
    (null, 'configured', 'app', '{"setting": "lock_wait", "from": "1s", "to": "5s"}')
  $$,
  'from what to what'
);

select * from finish();
rollback;
