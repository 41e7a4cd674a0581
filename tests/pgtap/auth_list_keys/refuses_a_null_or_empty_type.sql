begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select * from auth_list_keys('acme', null)$$, 'WA001', 'p_key_type', 'null');
select pg_temp.refuses($$select * from auth_list_keys('acme', '')$$, 'WA001', 'p_key_type', 'empty');
select pg_temp.refuses($$select * from auth_list_keys('acme', repeat('é', 64) || 'x')$$, 'WA001', 'p_key_type', '129 bytes');

select * from finish();
rollback;
