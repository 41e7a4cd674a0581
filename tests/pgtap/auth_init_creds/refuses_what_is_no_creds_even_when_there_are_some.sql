begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select auth_init_creds('acme', '{"noiseKey": "a", "signedIdentityKey": "i"}');
select pg_temp.refuses($$select auth_init_creds('acme', '["S3CRET"]')$$, 'WA001', 'p_creds', 'it does not depend on luck');

select * from finish();
rollback;
