begin;
select plan(1);

set local role app;
select auth_configure('history_versions', '2');
select auth_save_creds('acme', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 8) as i;
select is((select count(*) from auth_creds_history('acme')), 2::bigint, 'two');

select * from finish();
rollback;
