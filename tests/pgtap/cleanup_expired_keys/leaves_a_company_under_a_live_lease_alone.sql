begin;
-- Its holder keeps the keys in memory, and would never write them again.
select plan(6);

set local role app;
select auth_set_ttl('device-list', '1 day');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(c.id, '{"lid-mapping": {"962302": "118"}, "device-list": {"962302": ["0"]}}')
from (values ('acme'), ('globex')) as c (id);
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select * from auth_acquire_lease('acme', 'worker-1');
select is(cleanup_expired_keys(p_dry_run => true), 2::bigint, 'a dry run counts those of the other company');
select is(cleanup_expired_keys(p_company_id => 'acme', p_dry_run => true), 0::bigint, 'none of its own');
select is(cleanup_expired_keys(p_company_id => 'acme'), 0::bigint, 'called for it');
select is(cleanup_expired_keys(), 2::bigint, 'called for all');
select is(cleanup_expired_keys(), 0::bigint, 'then there is nothing left to do');
select results_eq(
  $$select c.company_id, c.keys from auth_list_companies() as c$$, $$values ('acme', 2::bigint)$$, 'its keys are there'
);

select * from finish();
rollback;
