begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select set_config(
  'test.next',
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}', current_setting('test.version')::bigint)::text, true
);

select cmp_ok(current_setting('test.next')::bigint, '>', current_setting('test.version')::bigint, 'the version that was read');
select pg_temp.refuses(
  format($$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', %s)$$, current_setting('test.version')),
  'WA003', current_setting('test.next'), 'an older one'
);
select pg_temp.refuses(
  format(
    $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', %s)$$, current_setting('test.next')::bigint + 1
  ),
  'WA003', null, 'a newer one'
);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'::jsonb, 'nothing was written');

select * from finish();
rollback;
