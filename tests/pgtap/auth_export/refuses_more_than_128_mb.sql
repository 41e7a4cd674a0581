begin;
\ir ../refuses.psql
select plan(1);

select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object('1.0', repeat('S3CRET__', 8 * 1024 * 1024))));
select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object('2.0', repeat('S3CRET__', 8 * 1024 * 1024))));
set local role app;
select pg_temp.refuses($$select auth_export('acme')$$, '54000', null, 'with a hint to page');

select * from finish();
rollback;
