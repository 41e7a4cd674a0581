begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select auth_save_state('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select * from auth_acquire_lease('globex', 'worker-1');
select auth_delete_company('acme');

select is(auth_get_creds('globex'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'creds');
select is(auth_get_keys('globex', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'keys');
select pg_temp.refuses($$select auth_set_keys('globex', '{}')$$, 'WA002', 'worker-1', 'lease');

select * from finish();
rollback;
