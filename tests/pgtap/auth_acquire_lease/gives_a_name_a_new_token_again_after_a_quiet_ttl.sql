begin;
-- A process that is restarted now and then is no second one.
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select * from auth_acquire_lease('acme', 'worker-1');
select set_config('auth_state.now', '2026-03-01 12:00:50Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', p_steal => true) as l;
select auth_renew_lease('acme', current_setting('test.token')::bigint, '1 hour');
select set_config('auth_state.now', '2026-03-01 12:01:50Z', true);
select ok((select l.acquired from auth_acquire_lease('acme', 'worker-1') as l), 'the lease is live all the time');

select * from finish();
rollback;
