begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}}');
select auth_set_ttl('device-list', '30 days');
select is(auth_set_ttl('device-list', '30 days'), 0::bigint, 'no row follows');

select * from finish();
rollback;
