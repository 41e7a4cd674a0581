begin;
select plan(1);

set local role app;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}', '{"session": {"1.0": 1}}');
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 2}', '{"session": {"1.0": 2}}');
select auth_restore_creds('acme', (select h.version from auth_creds_history('acme') as h));
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": 2}'::jsonb, 'a ratchet cannot go back');

select * from finish();
rollback;
