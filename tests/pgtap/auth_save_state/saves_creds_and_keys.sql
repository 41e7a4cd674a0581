begin;
select plan(3);

set local role app;
select set_config(
  'test.version',
  auth_save_state(
    'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "nextPreKeyId": 2}', '{"pre-key": {"1": "a"}, "session": {"1.0": "b"}}'
  )::text,
  true
);
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'it returns the version of the creds');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "nextPreKeyId": 2}'::jsonb, 'creds');
select is(
  auth_get_keys('acme', '{"pre-key": ["1"], "session": ["1.0"]}')::jsonb, '{"pre-key": {"1": "a"}, "session": {"1.0": "b"}}'::jsonb, 'keys'
);

select * from finish();
rollback;
