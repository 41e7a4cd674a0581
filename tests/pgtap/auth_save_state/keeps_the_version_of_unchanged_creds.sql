begin;
select plan(2);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select is(
  auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}'),
  current_setting('test.version')::bigint, 'the same version'
);
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'while keys change');

select * from finish();
rollback;
