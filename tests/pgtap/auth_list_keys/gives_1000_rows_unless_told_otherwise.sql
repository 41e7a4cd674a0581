begin;
select plan(2);

set local role app;
select auth_set_keys('acme', jsonb_build_object('pre-key', (select jsonb_object_agg(i, i) from generate_series(1, 1001) as i)));
select is((select count(*) from auth_list_keys('acme', 'pre-key')), 1000::bigint, 'a page');
select is((select count(*) from auth_list_keys('acme', 'pre-key', p_limit => 2000)), 1001::bigint, 'a larger one');

select * from finish();
rollback;
