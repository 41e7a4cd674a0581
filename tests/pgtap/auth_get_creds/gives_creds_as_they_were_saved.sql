begin;
select plan(4);

set local role app;
select auth_save_creds(
  'acme', '{"noiseKey": {"private": {"type": "Buffer", "data": "AQID"}}, "n": 1.50, "no": {}, "list": [null, false, ""]}'
);
select is(
  auth_get_creds('acme')::text,
  '{"n": 1.50, "no": {}, "list": [null, false, ""], "noiseKey": {"private": {"data": "AQID", "type": "Buffer"}}}',
  'an object, up to key order; no Buffer is re-encoded'
);
select auth_save_creds('acme', '"v1:kWPfvyGk\nsealed"');
select is(auth_get_creds('acme')::text, '"v1:kWPfvyGk\nsealed"', 'a string, which is an encrypted one');
select auth_save_creds('acme', '{}');
select is(auth_get_creds('acme')::text, '{}', 'nothing yet');
select auth_save_creds('acme', '{"me": {"name": "Zoë 😀 \" \\ \u0001"}}');
select is(auth_get_creds('acme') #>> '{me,name}', e'Zoë 😀 " \\ \x01', 'any name');

select * from finish();
rollback;
