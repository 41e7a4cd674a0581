begin;
\ir ../refuses.psql
select plan(4);

create role bound_bot login;
grant auth_state_service to bound_bot;
grant auth_state_monitor to bound_bot;
grant auth_state_proxy to bound_bot;
set local role app;
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select set_config('auth_state.company_id', 'globex', true);
select set_config('request.jwt.claims', '{"company_id": "globex"}', true);
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'a service, a proxy, with a claim');
select pg_temp.refuses($$select auth_set_ttl('device-list', '1 day')$$, '42501', null, 'nothing that concerns all');
select is_empty($$select * from auth_list_companies()$$, 'no other is listed');
select is_empty($$select * from auth_list_audit() as a where a.company_id is distinct from 'acme'$$, 'nor logged');

select * from finish();
rollback;
