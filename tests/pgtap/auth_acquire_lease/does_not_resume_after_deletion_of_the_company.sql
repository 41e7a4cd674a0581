begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_delete_company('acme', current_setting('test.token')::bigint);
select ok(
  not (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l),
  'everything the holder remembers is gone'
);

select * from finish();
rollback;
