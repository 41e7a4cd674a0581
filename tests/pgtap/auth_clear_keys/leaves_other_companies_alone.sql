begin;
select plan(2);

set local role app;
select auth_set_keys('globex', '{"session": {"1.0": 1}}');
select is(auth_clear_keys('acme'), 0::bigint, 'a company without keys');
select is(auth_get_keys('globex', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'the other one is as it was');

select * from finish();
rollback;
