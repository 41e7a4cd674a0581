begin;
\ir ../refuses.psql
select plan(3);

create role trusted login;
grant auth_state_service to trusted;
grant auth_state_tenant to trusted;
set local session authorization trusted;
set local role auth_state_tenant;
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'the setting is absent');
select set_config('auth_state.company_id', '', true);
select pg_temp.refuses($$select auth_get_creds('acme')$$, '42501', null, 'or empty');
select set_config('auth_state.company_id', 'acme', true);
select lives_ok($$select auth_get_creds('acme')$$, 'named, it is that company');

select * from finish();
rollback;
