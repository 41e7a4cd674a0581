begin;
\ir ../refuses.psql
select plan(3);

create role bound_bot login;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"1": "2", "2_reverse": "1"}}');
select auth_set_keys('globex', '{"lid-mapping": {"1": "2", "2_reverse": "1"}}');
select auth_bind_role('bound_bot', 'acme');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);
set local role bound_bot;
select is(cleanup_expired_keys(p_company_id => 'acme'), 2::bigint, 'its own keys');
select pg_temp.refuses($$select cleanup_expired_keys(p_company_id => 'globex')$$, '42501', null, 'nobody else''s');
select pg_temp.refuses($$select cleanup_expired_keys()$$, '42501', null, 'not all');

select * from finish();
rollback;
