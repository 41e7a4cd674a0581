-- Missing is missing, whatever was there.
begin;
\ir ../refuses.psql
select plan(1);

set local role app;
select auth_save_creds('acme', '{"account": {"details": "d"}}');
select pg_temp.refuses($$select auth_save_creds('acme', '{"account": {"details": "S3CRET"}}')$$, 'WA005', null, 'both are missing');

select * from finish();
rollback;
