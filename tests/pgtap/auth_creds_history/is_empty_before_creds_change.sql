begin;
select plan(2);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select is_empty($$select * from auth_creds_history('acme')$$, 'the present creds are no history');
select is_empty($$select * from auth_creds_history('globex')$$, 'nor is a company that is not there');

select * from finish();
rollback;
