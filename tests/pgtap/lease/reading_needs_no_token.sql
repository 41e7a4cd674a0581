begin;
select plan(3);

set local role app;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select * from auth_acquire_lease('acme', 'worker-1');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'creds');
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'keys');
select lives_ok($$select auth_export('acme')$$, 'export');

select * from finish();
rollback;
