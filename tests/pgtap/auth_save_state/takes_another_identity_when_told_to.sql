begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_save_state('acme', '{"noiseKey": "o", "signedIdentityKey": "j"}', '{}', p_allow_new_identity => true);
select is(auth_get_creds('acme'), '{"noiseKey": "o", "signedIdentityKey": "j"}'::jsonb, 'it is saved');

select * from finish();
rollback;
