begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);

select is(
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', current_setting('test.version')::bigint),
  current_setting('test.version')::bigint,
  'they are at it'
);
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', 1)$$, 'WA003', null, 'they are not'
);

select * from finish();
rollback;
