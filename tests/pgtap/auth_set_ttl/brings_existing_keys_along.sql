begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}, "session": {"1.0": 1}}');
select auth_set_keys('globex', '{"device-list": {"962302": ["0"], "962303": ["0"]}}');
select set_config('auth_state.now', '2026-03-05 12:00:00Z', true);

select is(auth_set_ttl('device-list', '30 days'), 3::bigint, 'three of all companies');
select results_eq(
  $$select updated_at, expires_at from auth_list_keys('acme', 'device-list')$$,
  $$values (timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-31 12:00:00Z')$$,
  'by updated_at, which stays'
);

select * from finish();
rollback;
