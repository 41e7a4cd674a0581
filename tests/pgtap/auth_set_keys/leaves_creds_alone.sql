begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select auth_set_keys('acme', '{"creds": {"creds": {"a": 2}}}');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'a type called creds is a type');

select * from finish();
rollback;
