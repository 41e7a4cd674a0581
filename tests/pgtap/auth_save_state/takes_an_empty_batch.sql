begin;
select plan(1);

set local role app;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{}');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'the creds are saved');

select * from finish();
rollback;
