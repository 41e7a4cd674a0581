begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2027-03-01 12:00:00Z', true);

select is(auth_get_keys('acme', '{"lid-mapping": ["962302"]}')::jsonb, '{"lid-mapping": {"962302": "118"}}'::jsonb, 'of several types');
select is(auth_get_keys('acme', 'lid-mapping', '{962302}')::jsonb, '{"962302": "118"}'::jsonb, 'until cleanup removes it');

select * from finish();
rollback;
