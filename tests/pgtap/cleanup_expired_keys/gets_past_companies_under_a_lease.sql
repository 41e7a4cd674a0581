begin;
-- Theirs are the oldest keys, and more than a batch.
select plan(2);

set local role app;
select auth_set_ttl('device-list', '1 day');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('leased ' || c, jsonb_build_object('device-list', jsonb_object_agg(i::text, 1)))
from generate_series(1, 60) as c
cross join generate_series(1, 60) as i
group by c;
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"1": 1}}');
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select count(l.acquired) from generate_series(1, 60) as c cross join auth_acquire_lease('leased ' || c, 'worker-1') as l;
select is(cleanup_expired_keys(10, p_dry_run => true), 1::bigint, 'in a dry run');
select is(cleanup_expired_keys(10), 1::bigint, 'and not');

select * from finish();
rollback;
