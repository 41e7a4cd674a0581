begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(c.id, c.data::jsonb)
from (values ('acme', '{"lid-mapping": {"962302": "118"}}'), ('globex', '{"session": {"1.0": 1}}')) as c (id, data);
select set_config('test.' || c.id, l.token::text, true)
from (values ('acme'), ('globex')) as c (id)
cross join auth_acquire_lease(c.id, 'worker-1') as l;
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select cleanup_expired_keys();
select ok(
  not (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.acme')::bigint) as l),
  'the memory of its holder has what is gone'
);
select ok(
  (select l.acquired from auth_acquire_lease('globex', 'worker-1', p_token => current_setting('test.globex')::bigint) as l),
  'a company that lost nothing goes on'
);

select * from finish();
rollback;
