begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select results_eq($$select expires_at from auth_list_keys('acme', 'session')$$, array[null::timestamptz], 'null');

select * from finish();
rollback;
