begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select auth_set_keys('globex', '{"session": {"1.0": 1}}');
select results_eq($$select company_id from auth_stats('acme')$$, array['acme'], 'that one');
select is_empty($$select * from auth_stats('initech')$$, 'nothing of one that has nothing');

select * from finish();
rollback;
