begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": "a", "2.0": "a"}}');
select auth_set_keys('globex', '{"session": {"1.0": "b", "2.0": null}}');
select is(auth_get_keys('acme', 'session', '{1.0,2.0}')::jsonb, '{"1.0": "a", "2.0": "a"}'::jsonb, 'the other one is as it was');

select * from finish();
rollback;
