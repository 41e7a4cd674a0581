begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select pg_temp.refuses('select cleanup_expired_keys(0)', 'WA001', 'p_batch_size', 'zero');
select pg_temp.refuses('select cleanup_expired_keys(-1)', 'WA001', 'p_batch_size', 'below zero');
select pg_temp.refuses('select cleanup_expired_keys(null)', 'WA001', 'p_batch_size', 'null');
select pg_temp.refuses('select cleanup_expired_keys(0, true)', 'WA001', 'p_batch_size', 'in a dry run too');

select * from finish();
rollback;
