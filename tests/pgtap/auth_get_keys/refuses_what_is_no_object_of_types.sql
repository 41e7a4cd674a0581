begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select pg_temp.refuses(format('select auth_get_keys(''acme'', %L::jsonb)', k.keys), 'WA001', 'p_keys', coalesce(k.keys, 'SQL null'))
from unnest(array[null, 'null', '["S3CRET"]', '"S3CRET"', '1', 'true']) as k (keys);

select * from finish();
rollback;
