begin;
select plan(2);

select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "a"}');
grant temporary on database pgtap to app;
set local role app;
create temporary table whatsapp_auth (company_id text, creds jsonb, version bigint);
set local search_path = pg_temp, public, tap;

select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "a"}'::jsonb, 'pg_temp is searched last');
select lives_ok($$select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, 'and nothing is written there');

select * from finish();
rollback;
