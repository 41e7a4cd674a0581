begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select lives_ok(
  $$select auth_import('acme', '{"format": 1, "creds": {"noiseKey": "o", "signedIdentityKey": "i"}, "keys": {}}', 'merge')$$,
  'another identity'
);
select is(auth_get_creds('acme') -> 'noiseKey', '"n"'::jsonb, 'is not merged in');

select * from finish();
rollback;
