begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select pg_temp.refuses(
  $$select auth_save_state(
    'acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', '{"session": {"1.0": "S3CRET"}, "pre-key": "S3CRET"}')$$,
  'WA001', 'p_data["pre-key"]', 'the path is named'
);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'all or nothing');

select * from finish();
rollback;
