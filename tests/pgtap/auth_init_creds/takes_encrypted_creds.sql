begin;
select plan(2);

set local role app;
select is(auth_init_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'), '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'::jsonb, 'a string');
select is(
  auth_init_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}'), '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'::jsonb,
  'which is creds like any other'
);

select * from finish();
rollback;
