begin;
select plan(1);

set local role app;
set local search_path = pg_catalog;
select public.auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select public.auth_set_keys('acme', '{"session": {"1.0": 1}}');
select public.auth_get_keys('acme', 'session', '{1.0}');
set local search_path = public, tap;

select is(auth_get_keys('acme', '{"session": ["1.0"]}')::jsonb, '{"session": {"1.0": 1}}'::jsonb, 'what was written from there');

select * from finish();
rollback;
