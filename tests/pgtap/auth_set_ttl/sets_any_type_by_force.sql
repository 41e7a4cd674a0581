begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(auth_set_ttl('session', '90 days', p_force => true), 1::bigint, 'sessions');

select * from finish();
rollback;
