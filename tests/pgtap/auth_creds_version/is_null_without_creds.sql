begin;
select plan(2);

set local role app;
select is(auth_creds_version('acme'), null, 'a company nobody has heard of');
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select is(auth_creds_version('acme'), null, 'a company with keys only');

select * from finish();
rollback;
