begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_import('acme', '{"format": 1, "keys": {}}', 'S3CRET')$$, 'WA001', 'p_mode', 'unknown');
select pg_temp.refuses($$select auth_import('acme', '{"format": 1, "keys": {}}', null)$$, 'WA001', 'p_mode', 'null');
select pg_temp.refuses($$select auth_import('acme', '{"format": 1, "keys": {}}', '')$$, 'WA001', 'p_mode', 'empty');

select * from finish();
rollback;
