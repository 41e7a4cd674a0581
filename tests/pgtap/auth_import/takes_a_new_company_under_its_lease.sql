begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select is(
  auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}}', p_lease_token => current_setting('test.token')::bigint), 1::bigint,
  'a lease makes no company'
);

select * from finish();
rollback;
