-- A stranger must not learn from the answer which companies there are.
begin;
\ir ../refuses.psql
select plan(2);

create role stranger;
grant usage on schema public to stranger;
grant execute on all functions in schema public to stranger;
set local role stranger;

select pg_temp.refuses($$select auth_get_creds('no such company')$$, '42501', null, 'not null: a failure is never "no creds"');
select pg_temp.refuses($$select auth_export('no such company')$$, '42501', null, 'not WA004');

select * from finish();
rollback;
