begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select lives_ok(
  format(
    $$select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}', '{}', p_expected_version => %s)$$,
    current_setting('test.version')
  ),
  'it is there'
);
select pg_temp.refuses(
  format(
    $$select auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{}', p_expected_version => %s)$$,
    current_setting('test.version')
  ),
  'WA003', null, 'it is not'
);

select * from finish();
rollback;
