begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": "old", "2.0": "old"}}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);

select is(
  auth_import(
    'acme',
    '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "a": 2},
      "keys": {"session": {"2.0": "new", "3.0": "new"}, "pre-key": {"7": "new"}}}',
    'merge'
  ),
  2::bigint, 'two rows written'
);
select is(
  auth_get_keys('acme', '{"session": ["1.0", "2.0", "3.0"], "pre-key": ["7"]}')::jsonb,
  '{"session": {"1.0": "old", "2.0": "old", "3.0": "new"}, "pre-key": {"7": "new"}}'::jsonb,
  'what was there stays'
);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'creds too');

select * from finish();
rollback;
