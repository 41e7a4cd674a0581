begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select is(auth_get_creds('acm'), null, 'a prefix is another company');
select is(auth_get_creds('ACME'), null, 'and so is another case');

select * from finish();
rollback;
