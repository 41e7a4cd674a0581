begin;
select plan(2);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'after auth_save_creds');
select set_config('test.version', auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}', '{}')::text, true);
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'after auth_save_state');

select * from finish();
rollback;
