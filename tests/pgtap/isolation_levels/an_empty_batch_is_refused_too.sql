begin;
set local transaction_isolation = 'repeatable read';
\ir ../refuses.psql
select plan(1);

set local role app;
select pg_temp.refuses($$select auth_set_keys('acme', '{}')$$, 'WA006', null, 'what does nothing is refused all the same');

select * from finish();
rollback;
