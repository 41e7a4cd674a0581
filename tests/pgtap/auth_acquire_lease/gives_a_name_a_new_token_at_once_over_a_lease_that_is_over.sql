begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_release_lease('acme', current_setting('test.token')::bigint);
select ok((select l.acquired from auth_acquire_lease('acme', 'worker-1') as l), 'given back');
select ok((select l.acquired from auth_acquire_lease('acme', 'worker-1') as l), 'and the one retake begins anew');

select * from finish();
rollback;
