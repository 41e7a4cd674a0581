begin;
select plan(1);

set local role app;
select * from auth_acquire_lease('acme', 'worker-1');
select is_empty('select * from auth_list_companies()', 'and makes none: a lease is neither creds nor a key');

select * from finish();
rollback;
