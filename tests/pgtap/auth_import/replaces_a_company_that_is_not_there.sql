begin;
select plan(1);

set local role app;
select is(
  auth_import('acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i"}, "keys": {"session": {"1.0": 1}}}', 'replace'),
  2::bigint, 'all is new'
);

select * from finish();
rollback;
