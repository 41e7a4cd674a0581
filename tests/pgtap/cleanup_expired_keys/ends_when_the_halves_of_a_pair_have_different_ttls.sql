begin;
select plan(3);

set local role app;
set local statement_timeout = '20s';
select auth_set_ttl('lid-mapping-reverse', '30 days');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "lid-mapping-reverse": {"118": "962302"}}');

select set_config('auth_state.now', '2026-03-10 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'the reverse half lives, and so does the other');
select is((select keys from auth_list_companies()), 2::bigint, 'both are there');
select set_config('auth_state.now', '2026-04-10 12:00:00Z', true);
select is(cleanup_expired_keys(), 2::bigint, 'they die together');

select * from finish();
rollback;
