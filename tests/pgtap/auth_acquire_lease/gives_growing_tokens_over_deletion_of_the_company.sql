begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_delete_company('acme', current_setting('test.token')::bigint);

select ok(
  (select l.token > current_setting('test.token')::bigint from auth_acquire_lease('acme', 'worker-1') as l),
  'a token from before the logout never comes back'
);

select * from finish();
rollback;
