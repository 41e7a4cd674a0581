begin;
\ir ../refuses.psql
select plan(1);

create role authenticator noinherit;
grant auth_state_service to authenticator;
grant usage on schema public to authenticator;
grant execute on all functions in schema public to authenticator;
set local role authenticator;

select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'who could switch to the service is not the service');

select * from finish();
rollback;
