begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(
  auth_init_creds('acme', '{"noiseKey": "a", "signedIdentityKey": "i"}'), '{"noiseKey": "a", "signedIdentityKey": "i"}'::jsonb,
  'keys are no creds'
);

select * from finish();
rollback;
