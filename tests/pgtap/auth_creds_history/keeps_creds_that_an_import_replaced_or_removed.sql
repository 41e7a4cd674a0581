begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "n": 2}, "keys": {}}', 'replace');
select is((select count(*) from auth_creds_history('acme')), 1::bigint, 'replaced');
select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}}', 'replace');
select is((select count(*) from auth_creds_history('acme')), 2::bigint, 'removed');

select * from finish();
rollback;
