-- Found by make fuzz: PostgreSQL's own 0LP01 came through.
begin;
\ir ../refuses.psql
select plan(3);

create role team;
grant team to auth_state_tenant;

select pg_temp.refuses($$select auth_bind_role('team', 'acme')$$, 'WA006', 'member', 'a role that tenants are members of');
select pg_temp.refuses($$select auth_bind_role('pg_database_owner', 'acme')$$, 'WA006', 'PostgreSQL', 'a role of PostgreSQL');
select is((select count(*) from whatsapp_tenant_roles), 0::bigint, 'and neither is bound');

select * from finish();
rollback;
