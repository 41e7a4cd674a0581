begin;
select plan(4);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select set_config('test.first', auth_creds_version('acme')::text, true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 2}');
select set_config('test.second', auth_creds_version('acme')::text, true);
select ok(
  auth_restore_creds('acme', current_setting('test.first')::bigint) > current_setting('test.second')::bigint, 'a version that grows'
);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'the creds');
select is(
  (select max(h.version) from auth_creds_history('acme') as h), current_setting('test.second')::bigint, 'what it replaced is history'
);
select lives_ok(
  $$select auth_restore_creds('acme', current_setting('test.second')::bigint)$$, 'and can be restored in its turn'
);

select * from finish();
rollback;
