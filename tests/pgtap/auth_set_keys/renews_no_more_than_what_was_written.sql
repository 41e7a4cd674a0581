begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "962303": "119"}}');
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118"}}');
select set_config('auth_state.now', '2026-03-04 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "session": {"962303": 1}}');

select results_eq(
  $$select company_id, key_id from whatsapp_keys where expires_at = '2026-03-11 12:00:00Z'$$,
  $$values ('acme' collate "C", '962302' collate "C")$$,
  'no other id, type or company'
);

select * from finish();
rollback;
