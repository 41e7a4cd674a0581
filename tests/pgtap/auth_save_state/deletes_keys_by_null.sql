begin;
select plan(1);

set local role app;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"pre-key": {"1": "a"}}');
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"pre-key": {"1": null}}');
select is(auth_get_keys('acme', 'pre-key', '{1}')::jsonb, '{"1": null}'::jsonb, 'as auth_set_keys does');

select * from finish();
rollback;
