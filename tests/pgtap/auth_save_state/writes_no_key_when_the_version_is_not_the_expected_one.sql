begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select pg_temp.refuses(
  $$select auth_save_state(
    'acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{"session": {"1.0": "S3CRET"}}', p_expected_version => 1)$$,
  'WA003', null, 'WA003'
);
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": null}'::jsonb, 'all or nothing');

select * from finish();
rollback;
