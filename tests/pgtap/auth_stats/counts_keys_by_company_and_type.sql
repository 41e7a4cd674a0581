begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('globex', '{"session": {"1.0": 1}}');
select auth_set_keys('acme', '{"session": {"1.0": 1}, "lid-mapping": {"962302": "118", "962303": "119"}}');
select set_config('auth_state.now', '2026-03-08 11:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "120"}}');
select set_config('auth_state.now', '2026-03-08 12:00:00Z', true);

select results_eq(
  'select company_id, key_type, keys, oldest, newest, expired from auth_stats()',
  $$
    values
    ('acme', 'lid-mapping', 2::bigint, timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-08 11:00:00Z', 1::bigint),
    ('acme', 'session', 1, '2026-03-01 12:00:00Z', '2026-03-01 12:00:00Z', 0),
    ('globex', 'session', 1, '2026-03-01 12:00:00Z', '2026-03-01 12:00:00Z', 0)
  $$,
  'of all companies'
);

select * from finish();
rollback;
