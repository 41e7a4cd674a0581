begin;
select plan(3);

set local role app;
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": "old", "2.0": "old"}, "pre-key": {"1.0": "old"}}'
);
select is(
  auth_import(
    'acme',
    '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "a": 2}, "keys": {"session": {"2.0": "new", "3.0": "new"}}}',
    'replace'
  ),
  3::bigint,
  'three rows written'
);
select is(auth_export('acme') -> 'keys', '{"session": {"2.0": "new", "3.0": "new"}}'::jsonb, 'nothing else is left');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'::jsonb, 'creds too');

select * from finish();
rollback;
