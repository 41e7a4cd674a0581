begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select pg_temp.refuses(format('select auth_set_keys(''acme'', %L)', d.data), 'WA001', 'p_data["session"]', d.data)
from
  unnest(array['{"session": null}', '{"session": ["S3CRET"]}', '{"session": "S3CRET"}', '{"session": 1}', '{"session": true}']) as d (data);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
