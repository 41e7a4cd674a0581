begin;
select plan(1);

set local role app;
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
select auth_delete_company('acme');
select cmp_ok(
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'), '>', current_setting('test.version')::bigint,
  'the same creds are a new version'
);

select * from finish();
rollback;
