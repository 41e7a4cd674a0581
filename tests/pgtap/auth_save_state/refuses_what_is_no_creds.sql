begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select pg_temp.refuses(format('select auth_save_state(''acme'', %L, ''{}'')', c.creds), 'WA001', 'p_creds', coalesce(c.creds, 'SQL null'))
from unnest(array[null, 'null', '["S3CRET"]', '1', 'true']) as c (creds);

select * from finish();
rollback;
