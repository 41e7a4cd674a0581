begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select lives_ok($$select auth_clear_keys('acme', repeat('é', 64))$$, '128 bytes');
select pg_temp.refuses($$select auth_clear_keys('acme', repeat('é', 64) || 'x')$$, 'WA001', 'p_key_type', '129 bytes');

select * from finish();
rollback;
