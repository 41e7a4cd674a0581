begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_renew_lease('acme', 1, null)$$, 'WA001', 'p_ttl', 'null');
select pg_temp.refuses($$select auth_renew_lease('acme', 1, '0')$$, 'WA001', 'p_ttl', 'zero');
select pg_temp.refuses($$select auth_renew_lease('acme', 1, '-1 second')$$, 'WA001', 'p_ttl', 'below zero');

select * from finish();
rollback;
