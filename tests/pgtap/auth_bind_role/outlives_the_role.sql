-- A name that comes back must not come back with more.
begin;
\ir ../refuses.psql
select plan(1);

create role bound_bot login;
set local role app;
select auth_bind_role('bound_bot', 'acme');
reset role;
drop role bound_bot;
create role bound_bot login in role auth_state_service;
set local role bound_bot;
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'a new role of that name is confined');

select * from finish();
rollback;
