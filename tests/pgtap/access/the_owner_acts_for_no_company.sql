-- It owns the functions, and is not the service.
begin;
\ir ../refuses.psql
select plan(1);

set local role auth_state_owner;
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'who could become it has gained nothing by the functions');

select * from finish();
rollback;
