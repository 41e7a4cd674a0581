begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "registered": false}');
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "o", "signedIdentityKey": "j"}')$$, 'nobody was paired yet');
select lives_ok($$select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"')$$, 'by a string too');

select * from finish();
rollback;
