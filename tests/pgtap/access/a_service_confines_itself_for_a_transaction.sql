begin;
\ir ../refuses.psql
select plan(6);

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
set local role app;
select set_config('auth_state.company_id', 'acme', true);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'the company it named');
select pg_temp.refuses($$select auth_get_creds('globex')$$, '42501', null, 'no other');
select results_eq($$select c.company_id from auth_list_companies() as c$$, array['acme'], 'nor in a list');
select pg_temp.refuses($$select cleanup_expired_keys()$$, '42501', null, 'nothing that concerns all');
select pg_temp.refuses($$select auth_bind_role('app', 'acme')$$, '42501', null, 'no binding');
select set_config('auth_state.company_id', '', true);
select lives_ok($$select auth_get_creds('globex')$$, 'until it is over');

select * from finish();
rollback;
