begin;
select plan(2);

set local role app;
set local statement_timeout = '20s';
select auth_set_ttl('lid-mapping-reverse', null);
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "lid-mapping-reverse": {"118": "962302"}}');

select set_config('auth_state.now', '2027-03-01 12:00:00Z', true);
select is(cleanup_expired_keys(), 0::bigint, 'it lives, and so does the other');
select is((select keys from auth_list_companies()), 2::bigint, 'both are there');

select * from finish();
rollback;
