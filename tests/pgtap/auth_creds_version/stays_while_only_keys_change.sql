begin;
select plan(1);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'it is the version of the creds');

select * from finish();
rollback;
