begin;
select plan(2);

set local role app;
select auth_save_creds('company ' || i, '{"noiseKey": "n", "signedIdentityKey": "i"}') from generate_series(1, 1001) as i;
select is((select count(*) from auth_list_companies()), 1000::bigint, 'a page');
select is((select count(*) from auth_list_companies(p_limit => 2000)), 1001::bigint, 'a larger one');

select * from finish();
rollback;
