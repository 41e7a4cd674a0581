begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select auth_set_ttl('session', '90 days', p_force => true);
select is(auth_set_ttl('session', null), 1::bigint, 'that keys live for ever needs no force');

select * from finish();
rollback;
