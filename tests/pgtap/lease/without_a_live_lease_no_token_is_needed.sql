begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select lives_ok($$select auth_set_keys('acme', '{}')$$, 'there never was a lease');
select * from auth_acquire_lease('acme', 'worker-1', '60 seconds');
select set_config('auth_state.now', '2026-03-01 12:02:00Z', true);
select lives_ok($$select auth_set_keys('acme', '{}')$$, 'it has lapsed');
select auth_release_lease('acme', l.token) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select lives_ok($$select auth_set_keys('acme', '{}')$$, 'it was released');

select * from finish();
rollback;
