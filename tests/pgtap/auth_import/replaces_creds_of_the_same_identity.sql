begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}, "counter": 1}');
select auth_import(
  'acme',
  '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}, "counter": 0}, "keys": {}}', 'replace'
);
select is(auth_get_creds('acme') -> 'counter', '0'::jsonb, 'a backup of the same account');

select * from finish();
rollback;
