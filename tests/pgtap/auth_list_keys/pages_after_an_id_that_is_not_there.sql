begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1": 1, "3": 3}}');
select results_eq($$select key_id from auth_list_keys('acme', 'session', '2')$$, array['3'], 'it may have been deleted since');

select * from finish();
rollback;
