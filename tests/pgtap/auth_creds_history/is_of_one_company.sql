begin;
select plan(1);

set local role app;
select auth_save_creds('globex', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 3) as i;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select is_empty($$select * from auth_creds_history('acme')$$, 'the others'' is theirs');

select * from finish();
rollback;
