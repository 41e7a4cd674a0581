begin;
select plan(2);

select is(auth_get_creds('acme'), null, 'a company nobody has heard of');

set local role app;
select is(auth_get_creds('acme'), null, 'for the service too');

select * from finish();
rollback;
