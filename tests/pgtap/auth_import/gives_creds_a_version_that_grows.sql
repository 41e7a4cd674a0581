begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "a": 1}, "keys": {}}');
select is(auth_creds_version('acme'), 1772366400000000, 'a first one');
select auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "a": 2}, "keys": {}}', 'replace');
select is(auth_creds_version('acme'), 1772366400000001, 'a greater one, though the backup is older');

select * from finish();
rollback;
