begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select pg_temp.refuses($$select auth_acquire_lease('acme', 'me', null)$$, 'WA001', 'p_ttl', 'null');
select pg_temp.refuses($$select auth_acquire_lease('acme', 'me', '0')$$, 'WA001', 'p_ttl', 'zero');
select pg_temp.refuses($$select auth_acquire_lease('acme', 'me', '-1 second')$$, 'WA001', 'p_ttl', 'below zero');
select pg_temp.refuses($$select auth_acquire_lease('acme', 'me', '1 month -30 days')$$, 'WA001', 'p_ttl', 'zero in other words');

select * from finish();
rollback;
