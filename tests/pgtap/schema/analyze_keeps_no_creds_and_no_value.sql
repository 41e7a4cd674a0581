begin;
select plan(2);

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select auth_set_keys('acme', jsonb_build_object('session', (select jsonb_object_agg(i::text, 'S3CRET') from generate_series(1, 50) as i)));
analyze whatsapp_auth, whatsapp_keys;

select isnt_empty(
  $$select * from pg_stats where tablename = 'whatsapp_keys' and attname = 'key_id'$$,
  'there are statistics on ids'
);
select is_empty(
  $$select * from pg_stats where schemaname = 'public' and attname in ('creds', 'value')$$,
  'and none on what is secret'
);

select * from finish();
rollback;
