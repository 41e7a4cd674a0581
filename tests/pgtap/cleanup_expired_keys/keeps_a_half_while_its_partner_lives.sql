begin;
select plan(4);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select auth_set_keys('globex', '{"lid-mapping": {"118_reverse": "962302"}}');
select set_config('auth_state.now', '2026-03-04 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"118_reverse": "962302"}}');
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118"}}');

select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'the forward half in one company, the reverse half in the other');
select set_config('auth_state.now', '2026-03-11 11:59:59Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'as long as the younger lives');
select set_config('auth_state.now', '2026-03-11 12:00:00Z', true);
select is(cleanup_expired_keys(), 4::bigint, 'then they die together');
select is_empty('select * from auth_list_companies()', 'nothing is left');

select * from finish();
rollback;
