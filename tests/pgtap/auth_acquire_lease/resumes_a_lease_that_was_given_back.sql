begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_release_lease('acme', current_setting('test.token')::bigint);
select ok(
  (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l),
  'nobody wrote in between'
);

select * from finish();
rollback;
