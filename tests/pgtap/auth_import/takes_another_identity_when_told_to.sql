begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_import(
  'acme', '{"format": 1, "creds": {"noiseKey": "o", "signedIdentityKey": "i"}, "keys": {}}', 'replace', p_allow_new_identity => true
);
select is(auth_get_creds('acme'), '{"noiseKey": "o", "signedIdentityKey": "i"}'::jsonb, 'another');

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": 1}}}', 'replace', p_allow_new_identity => true);
select is(auth_get_creds('acme'), null, 'or none');

select * from finish();
rollback;
