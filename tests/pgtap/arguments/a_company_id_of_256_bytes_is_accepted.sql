begin;
select plan(3);

set local role app;

select auth_save_creds(repeat('x', 256), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select auth_save_creds(repeat('é', 128), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}');
select auth_save_creds(repeat('😀', 64), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 3}');

select is(auth_get_creds(repeat('x', 256)), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'one byte each');
select is(auth_get_creds(repeat('é', 128)), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'::jsonb, 'two bytes each');
select is(auth_get_creds(repeat('😀', 64)), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 3}'::jsonb, 'four bytes each');

select * from finish();
rollback;
