begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}}', 'replace');
select auth_restore_creds('acme', (select h.version from auth_creds_history('acme') as h));
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'an import without creds had removed them');

select * from finish();
rollback;
