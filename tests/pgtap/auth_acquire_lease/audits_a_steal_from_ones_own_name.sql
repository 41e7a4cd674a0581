begin;
select plan(2);

set local role app;
select * from auth_acquire_lease('acme', 'worker-1');
select * from auth_acquire_lease('acme', 'worker-1');
select is_empty($$select * from auth_list_audit('acme') as a where a.action = 'lease_stolen'$$, 'a restart is none');
select * from auth_acquire_lease('acme', 'worker-1', p_steal => true);
select results_eq(
  $$select a.action, a.details from auth_list_audit('acme') as a where a.action = 'lease_stolen'$$,
  $$values ('lease_stolen', '{"from": "worker-1"}'::jsonb)$$,
  'what only p_steal takes is one'
);

select * from finish();
rollback;
