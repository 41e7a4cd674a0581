begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select lives_ok($$select auth_acquire_lease('acme', repeat('é', 128))$$, '256 bytes');
select pg_temp.refuses($$select auth_acquire_lease('acme', repeat('é', 128) || 'x')$$, 'WA001', 'p_holder', '257 bytes');

select * from finish();
rollback;
