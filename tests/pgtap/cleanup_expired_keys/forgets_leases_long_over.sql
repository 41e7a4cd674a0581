begin;
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1', '60 seconds');
select * from auth_acquire_lease('globex', 'worker-1', '60 days');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(cleanup_expired_keys(), 0::bigint, 'they do not count');
select results_eq('select holder from whatsapp_leases', array['worker-1'], 'live ones stay');

select * from finish();
rollback;
