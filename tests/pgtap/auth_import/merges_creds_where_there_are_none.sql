begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(
  auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "a": 2}, "keys": {}}', 'merge'), 1::bigint,
  'one row written'
);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'::jsonb, 'they are there');

select * from finish();
rollback;
