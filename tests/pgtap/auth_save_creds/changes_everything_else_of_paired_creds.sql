begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": {"a": 1, "b": 2}, "signedIdentityKey": "i", "account": {"details": "d"}, "counter": 1}');

select lives_ok(
  $$select auth_save_creds('acme', '{"signedIdentityKey": "i", "noiseKey": {"b": 2, "a": 1}, "account": {"details": "d"}, "counter": 2}')$$,
  'the same identity'
);
select is(auth_get_creds('acme') -> 'counter', '2'::jsonb, 'is saved');

select * from finish();
rollback;
