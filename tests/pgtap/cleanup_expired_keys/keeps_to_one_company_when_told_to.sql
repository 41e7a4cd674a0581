begin;
select plan(4);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(cleanup_expired_keys(p_dry_run => true, p_company_id => 'acme'), 1::bigint, 'a dry run too');
select is(cleanup_expired_keys(p_company_id => 'acme'), 1::bigint, 'one of its own');
select is(cleanup_expired_keys(p_company_id => 'acme'), 0::bigint, 'no more');
select results_eq('select company_id from auth_list_companies()', array['globex'], 'the other one is as it was');

select * from finish();
rollback;
