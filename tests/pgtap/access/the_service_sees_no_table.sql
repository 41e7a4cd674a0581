begin;
select plan(4);

set local role app;
select throws_ok('select creds from whatsapp_auth', '42501', null, 'creds');
select throws_ok('select value from whatsapp_keys', '42501', null, 'keys');
select throws_ok('update whatsapp_leases set token = 1', '42501', null, 'leases');
select throws_ok('delete from whatsapp_key_ttl', '42501', null, 'ttls');

select * from finish();
rollback;
