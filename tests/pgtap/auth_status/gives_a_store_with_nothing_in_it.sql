begin;
select plan(3);

set local role app;
select is(auth_status() -> 'accounts', '0', 'no account');
select is(auth_status() -> 'keys', '[]', 'no key');
select is(auth_status() -> 'live_leases', '0', 'no lease');

select * from finish();
rollback;
