begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2027-03-01 12:00:00Z', true);
select is(auth_export('acme') -> 'keys', '{"lid-mapping": {"962302": "118"}}'::jsonb, 'until cleanup removes them');

select * from finish();
rollback;
