begin;
select plan(2);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;

select is(auth_release_lease('acme', current_setting('test.token')::bigint), true, 'true');
select results_eq(
  $$select l.acquired, l.holder from auth_acquire_lease('acme', 'worker-2') as l$$,
  $$values (true, 'worker-2')$$,
  'and somebody else gets it'
);

select * from finish();
rollback;
