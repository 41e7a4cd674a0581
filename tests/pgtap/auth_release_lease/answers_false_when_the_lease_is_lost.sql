begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select is(auth_release_lease('acme', 1), false, 'there never was one');

select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select auth_release_lease('acme', current_setting('test.token')::bigint);
select is(auth_release_lease('acme', current_setting('test.token')::bigint), false, 'it was released already');

select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select set_config('auth_state.now', '2026-03-01 12:01:00Z', true);
select is(auth_release_lease('acme', current_setting('test.token')::bigint), false, 'it has lapsed');

select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '60 seconds') as l;
select * from auth_acquire_lease('acme', 'worker-2', p_steal => true);
select is(auth_release_lease('acme', current_setting('test.token')::bigint), false, 'it was stolen');
select pg_temp.refuses($$select auth_set_keys('acme', '{}')$$, 'WA002', 'worker-2', 'and the thief keeps it');

select * from finish();
rollback;
