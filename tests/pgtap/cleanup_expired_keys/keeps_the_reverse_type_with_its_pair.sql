begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "lid-mapping-reverse": {"118": "962302"}, "session": {"118_1.0": 1}}');
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118"}, "lid-mapping-reverse": {"118": "962302"}}');
select set_config('auth_state.now', '2026-03-04 12:00:00Z', true);
select auth_set_keys('globex', '{"lid-mapping-reverse": {"118": "962302 "}}');
select auth_set_keys('globex', '{"lid-mapping-reverse": {"118": "962302"}}');

select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'a pair in use, and one with a living half');
select set_config('auth_state.now', '2026-03-14 12:00:00Z', true);
select is(cleanup_expired_keys(), 2::bigint, 'the pair that is not in use goes as one');
select results_eq('select company_id, keys from auth_list_companies()', $$values ('acme', 3::bigint)$$, 'the other stays as one');

select * from finish();
rollback;
