begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}', '{}');
select is_empty($$select * from auth_creds_history('acme')$$, 'no version');

select * from finish();
rollback;
