begin;
select plan(4);

set local role app;
select auth_set_keys('acme', '{"session": {"1": 1, "2": 2, "3": 3, "3%": 4, "é": 5}}');
select results_eq(
  $$select key_id from auth_list_keys('acme', 'session', null, 2)$$, array['1', '2'], 'the first page'
);
select results_eq(
  $$select key_id from auth_list_keys('acme', 'session', '2', 2)$$, array['3', '3%'], 'the next'
);
select results_eq($$select key_id from auth_list_keys('acme', 'session', '3%', 2)$$, array['é'], 'the last');
select is_empty($$select key_id from auth_list_keys('acme', 'session', 'é', 2)$$, 'and no more');

select * from finish();
rollback;
