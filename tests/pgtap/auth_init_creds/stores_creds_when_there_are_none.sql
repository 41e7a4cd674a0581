begin;
select plan(2);

set local role app;
select is(
  auth_init_creds('acme', '{"noiseKey": "a", "signedIdentityKey": "i"}'), '{"noiseKey": "a", "signedIdentityKey": "i"}'::jsonb,
  'and returns them'
);
select is(auth_get_creds('acme'), '{"noiseKey": "a", "signedIdentityKey": "i"}'::jsonb, 'they are kept');

select * from finish();
rollback;
