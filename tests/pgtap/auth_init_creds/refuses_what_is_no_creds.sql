begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select pg_temp.refuses(format('select auth_init_creds(''acme'', %L)', c.creds), 'WA001', 'p_creds', coalesce(c.creds, 'SQL null'))
from unnest(array[null, 'null', '["S3CRET"]', '1', 'true']) as c (creds);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
