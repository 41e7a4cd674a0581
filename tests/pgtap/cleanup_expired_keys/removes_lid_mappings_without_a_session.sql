begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}}');
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);

select is(cleanup_expired_keys(), 2::bigint, 'both halves');
select is_empty($$select * from auth_list_keys('acme', 'lid-mapping')$$, 'at once');

select * from finish();
rollback;
