begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_save_creds('acme', '{"noiseKey": "o", "signedIdentityKey": "j"}', p_allow_new_identity => true);
select is(auth_get_creds('acme'), '{"noiseKey": "o", "signedIdentityKey": "j"}'::jsonb, 'an object');

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"', p_allow_new_identity => true);
select is(auth_get_creds('acme'), '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'::jsonb, 'a string, to begin with encryption');

select * from finish();
rollback;
