begin;
select plan(3);

set local role app;
select auth_set_ttl('device-list', '1 day');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(c.id, '{"lid-mapping": {"962302": "118"}, "device-list": {"962302": ["0"]}}')
from (values ('acme'), ('globex')) as c (id);
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select set_config('test.' || c.id, l.token::text, true)
from (values ('acme'), ('globex')) as c (id)
cross join auth_acquire_lease(c.id, 'worker-1') as l;
select is(cleanup_expired_keys(), 0::bigint, 'not before');
select auth_release_lease('globex', current_setting('test.globex')::bigint);
select is(cleanup_expired_keys(), 2::bigint, 'given back');
select set_config('auth_state.now', '2026-03-20 12:01:00Z', true);
select is(cleanup_expired_keys(), 2::bigint, 'or lapsed');

select * from finish();
rollback;
