begin;
\ir ../refuses.psql
select plan(13);

create role pgrst_login login noinherit;
create role pgrst_user;
grant auth_state_proxy to pgrst_login;
grant pgrst_user to pgrst_login;
grant auth_state_tenant to pgrst_user;
set local session authorization pgrst_login;
set local role pgrst_user;
select pg_temp.refuses(
  format($$select auth_get_creds('acme') from (select set_config('request.jwt.claims', %L, true) offset 0) as s$$, c.claims),
  '42501', null, c.claims
)
from (
  values
  (''), ('S3CRET'), ('{"company_id": "S3CRET'), ('null'), ('"acme"'), ('["acme"]'), ('{}'), ('{"company_id": null}'),
  ('{"company_id": ""}'), ('{"company_id": ["acme"]}'), ('{"company_id": {"acme": 1}}'), ('{"app_metadata": "acme"}'),
  ('{"company_id": 1, "app_metadata": {"company_id": "acme"}}')
) as c (claims);

select * from finish();
rollback;
