begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses($$select auth_bind_role('postgres', 'acme')$$, 'WA006', 'superuser', 'a superuser');
select pg_temp.refuses($$select auth_bind_role('auth_state_service', 'acme')$$, 'WA006', 'own roles', 'the service itself');

select * from finish();
rollback;
