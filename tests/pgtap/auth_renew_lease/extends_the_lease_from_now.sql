begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:00:40Z', true);

select is(
  auth_renew_lease('acme', current_setting('test.token')::bigint, '90 seconds'), '2026-03-01 12:02:10Z', 'by p_ttl'
);
select is(
  auth_renew_lease('acme', current_setting('test.token')::bigint), '2026-03-01 12:01:40Z', 'by 60 seconds unless said otherwise'
);

select * from finish();
rollback;
