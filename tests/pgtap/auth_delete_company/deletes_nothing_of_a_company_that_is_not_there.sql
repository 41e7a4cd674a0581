begin;
select plan(1);

set local role app;
select is(auth_delete_company('acme'), 0::bigint, 'logging out twice is no error');

select * from finish();
rollback;
