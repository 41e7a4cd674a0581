begin;
select plan(4);

set local role app;
select auth_save_creds(
  'acme',
  '{"noiseKey": {"private": {"type": "Buffer", "data": "AQID"}}, "n": 1.50, "no": {}, "list": [null, false, ""], "signedIdentityKey": 2}'
);
select is(
  auth_get_creds('acme')::text,
  '{"n": 1.50, "no": {}, "list": [null, false, ""], "noiseKey": {"private": {"data": "AQID", "type": "Buffer"}}, "signedIdentityKey": 2}',
  'an object, up to key order; no Buffer is re-encoded'
);
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.sealed.AAAA"');
select is(auth_get_creds('acme')::text, '"eyJhbGciOiJkaXIifQ..AAAA.sealed.AAAA"', 'a string, which is an encrypted one');
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select is(auth_get_creds('acme')::text, '{"noiseKey": "n", "signedIdentityKey": "i"}', 'no more than the keys');
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "me": {"name": "Zoë 😀 \" \\ \u0001"}}');
select is(auth_get_creds('acme') #>> '{me,name}', e'Zoë 😀 " \\ \x01', 'any name');

select * from finish();
rollback;
