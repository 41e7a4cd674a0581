begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select * from auth_acquire_lease('acme', 'worker-1');
select pg_temp.refuses($$select auth_set_keys('acme', '{}')$$, 'WA002', null, 'an empty batch');
select pg_temp.refuses($$select auth_set_keys('acme', '{"session": {}}')$$, 'WA002', null, 'a batch of empty types');
select pg_temp.refuses($$select auth_clear_keys('acme', 'session')$$, 'WA002', null, 'nothing to clear');

select * from finish();
rollback;
