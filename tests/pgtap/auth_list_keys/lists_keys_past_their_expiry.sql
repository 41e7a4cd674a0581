begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2027-03-01 12:00:00Z', true);
select isnt_empty($$select * from auth_list_keys('acme', 'lid-mapping')$$, 'until cleanup removes them');

select * from finish();
rollback;
