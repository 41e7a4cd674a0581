begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": "x"}}');
select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object('2.0', repeat('x', 1000))));
select is_empty($$select * from auth_stats('acme') where largest < 20 or bytes <= largest$$, 'the sum of all, and the largest');
select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object('2.0', repeat('x', 100000))));
select is_empty($$select * from auth_stats('acme') where largest > 10000$$, 'compressed');

select * from finish();
rollback;
