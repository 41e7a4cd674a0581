begin;
select plan(1);

select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}')::text, true);
truncate whatsapp_auth;
select cmp_ok(
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'), '>', current_setting('test.version')::bigint,
  'no record of earlier ones is needed'
);

select * from finish();
rollback;
