begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962303": "118", "118_reverse": "962303"}}');
select is(cleanup_expired_keys(), 1::bigint, 'a number that changed hands');
select results_eq($$select key_id from auth_list_keys('acme', 'lid-mapping')$$, array['118_reverse', '962303'], 'the pair of today stays');

select * from finish();
rollback;
