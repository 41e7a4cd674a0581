begin;
select plan(2);

select * from auth_acquire_lease('acme', 'worker-1');
select set_config('test.row', l::text || l.xmin::text || l.ctid::text, true) from whatsapp_leases as l;
set local role app;
select ok(not (select l.acquired from auth_acquire_lease('acme', 'worker-2') as l), 'refused');
reset role;
select is((select l::text || l.xmin::text || l.ctid::text from whatsapp_leases as l), current_setting('test.row'), 'the row is as it was');

select * from finish();
rollback;
