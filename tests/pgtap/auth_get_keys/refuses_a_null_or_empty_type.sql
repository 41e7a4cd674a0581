begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_get_keys('acme', '{"": ["1.0"]}')$$, 'WA001', 'p_keys[""]', 'empty, of several types');
select pg_temp.refuses($$select auth_get_keys('acme', '', '{1.0}')$$, 'WA001', 'p_key_type', 'empty, of one type');
select pg_temp.refuses($$select auth_get_keys('acme', null, '{1.0}'::text[])$$, 'WA001', 'p_key_type', 'null');

select * from finish();
rollback;
