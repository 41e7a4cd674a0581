-- A table with a column of such a type would stop an upgrade that rewrites ours.
begin;
select plan(1);

create role stranger;
grant temporary on database pgtap to stranger;
set local role stranger;
select throws_ok('create temporary table mine (a public.whatsapp_auth)', '42501', null, 'not in a table of their own');

select * from finish();
rollback;
