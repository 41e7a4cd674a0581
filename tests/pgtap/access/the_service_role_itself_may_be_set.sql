begin;
select plan(1);

set local role auth_state_service;
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, 'as the role, not as a member of it');

select * from finish();
rollback;
