begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is_empty($$select * from auth_list_keys('acme', 'pre-key')$$, 'another type');
select is_empty($$select * from auth_list_keys('globex', 'session')$$, 'another company');

select * from finish();
rollback;
