begin;
select plan(1);

set local role app;
select auth_save_creds('acme', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 3) as i;
select auth_delete_company('acme');
reset role;
select is_empty($$select * from whatsapp_auth_history$$, 'logout leaves no creds behind');

select * from finish();
rollback;
