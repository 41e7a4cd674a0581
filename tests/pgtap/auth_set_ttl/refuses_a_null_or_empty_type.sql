begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_set_ttl(null, '1 day')$$, 'WA001', 'p_key_type', 'null');
select pg_temp.refuses($$select auth_set_ttl('', '1 day')$$, 'WA001', 'p_key_type', 'empty');
select pg_temp.refuses($$select auth_set_ttl(repeat('é', 64) || 'x', '1 day')$$, 'WA001', 'p_key_type', '129 bytes');

select * from finish();
rollback;
