begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_delete_company('acme');
select is(auth_get_creds('acme'), null, 'the paired creds are gone, unasked');
select is(
  auth_init_creds('acme', '{"noiseKey": "o", "signedIdentityKey": "i"}'), '{"noiseKey": "o", "signedIdentityKey": "i"}'::jsonb,
  'and others come in'
);

select * from finish();
rollback;
