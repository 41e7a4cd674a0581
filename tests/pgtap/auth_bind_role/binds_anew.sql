begin;
\ir ../refuses.psql
select plan(2);

create role bound_bot login;
set local role app;
select auth_bind_role('bound_bot', 'acme');
select auth_bind_role('bound_bot', 'globex');
set local role bound_bot;
select lives_ok($$select auth_get_creds('globex')$$, 'the new one');
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'not the old one');

select * from finish();
rollback;
