begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}}');
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}, "lid-mapping-reverse": {"118": "962302"}}');
select set_config('auth_state.now', '2026-03-04 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping-reverse": {"118": "962302"}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);

select is(cleanup_expired_keys(2, p_company_id => 'globex'), 0::bigint, 'a unit of three does not fit into two');
select is(cleanup_expired_keys(p_company_id => 'globex'), 3::bigint, 'all three go together');
select is(cleanup_expired_keys(), 0::bigint, 'and live together');

select * from finish();
rollback;
