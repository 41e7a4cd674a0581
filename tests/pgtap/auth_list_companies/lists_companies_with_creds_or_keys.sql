begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('creds only', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select auth_set_keys('keys only', '{"session": {"1.0": 1}, "pre-key": {"7": 2}}');
select auth_save_state('both', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"session": {"1.0": 1}}');

select results_eq(
  'select * from auth_list_companies()',
  $$
    values
    ('both', 1772366400000000, 1::bigint, timestamptz '2026-03-01 12:00:00Z'),
    ('creds only', 1772366400000000, 0, '2026-03-01 12:00:00Z'),
    ('keys only', null, 2, '2026-03-01 12:00:00Z')
  $$,
  'version of the creds, number of keys, time'
);

select * from finish();
rollback;
