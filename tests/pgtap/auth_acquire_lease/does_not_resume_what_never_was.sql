begin;
select plan(2);

set local role app;
select results_eq(
  $$select * from auth_acquire_lease('acme', 'worker-1', p_token => 1)$$,
  $$values (false, null::bigint, null::text, null::timestamptz)$$,
  'one row, all of it null but acquired'
);
select is_empty($$select * from auth_list_leases()$$, 'and no lease');

select * from finish();
rollback;
