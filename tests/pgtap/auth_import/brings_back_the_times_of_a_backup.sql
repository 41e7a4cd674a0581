begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select set_config('test.export', auth_export('acme')::text, true);
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}', '{"session": {"1.0": 2}}');
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select set_config('test.version', auth_creds_version('acme')::text, true);

select is(auth_import('acme', current_setting('test.export')::jsonb, 'replace'), 2::bigint, 'the same values, at other times');
select is(auth_export('acme'), current_setting('test.export')::jsonb, 'a second export is equal');
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'unchanged creds keep their version');

select * from finish();
rollback;
