begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}, "lid-mapping": {"962302": "118"}}'
);
select set_config('auth_state.now', '2026-03-03 12:00:00Z', true);

select is(auth_import('acme', auth_export('acme'), 'replace'), 0::bigint, 'no row');
select is(auth_creds_version('acme'), 1772366400000000, 'the version is kept');

select * from finish();
rollback;
