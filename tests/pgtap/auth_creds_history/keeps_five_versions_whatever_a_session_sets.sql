begin;
select plan(1);

set local role app;
select set_config('auth_state.history_versions', '1', true);
select auth_save_creds('acme', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 8) as i;
select is((select count(*) from auth_creds_history('acme')), 5::bigint, 'auth_configure is the one way to another number');

select * from finish();
rollback;
