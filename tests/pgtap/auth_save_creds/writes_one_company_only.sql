begin;
select plan(1);

set local role app;
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}');
select is(auth_get_creds('globex'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'the other one is as it was');

select * from finish();
rollback;
