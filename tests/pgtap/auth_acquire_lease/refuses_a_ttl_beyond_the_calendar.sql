begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses($$select auth_acquire_lease('acme', 'me', '300000 years')$$, 'WA001', 'p_ttl', 'no time that PostgreSQL can hold');
select lives_ok($$select auth_acquire_lease('acme', 'me', '1000 years')$$, 'a thousand years');

select * from finish();
rollback;
