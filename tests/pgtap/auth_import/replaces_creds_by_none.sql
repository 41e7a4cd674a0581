begin;
select plan(1);

set local role app;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select auth_import('acme', '{"format": 1, "creds": null, "keys": {"session": {"1.0": 1}}}', 'replace');
select is(auth_get_creds('acme'), null, 'nothing but what is imported is left');

select * from finish();
rollback;
