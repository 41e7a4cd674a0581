begin;
\ir ../refuses.psql
select plan(4);

create role bound_bot login;
set local role app;
select auth_bind_role('bound_bot', 'acme');
select is(auth_unbind_role('bound_bot'), true, 'it was bound');
select is(auth_unbind_role('bound_bot'), false, 'it is not any more');
select is(auth_unbind_role(null), false, 'nobody');
set local role bound_bot;
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'what is left opens nothing');

select * from finish();
rollback;
