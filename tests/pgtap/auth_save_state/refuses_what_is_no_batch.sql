begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select pg_temp.refuses(
  format($$select auth_save_state('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', %L)$$, d.data),
  'WA001', 'p_data', coalesce(d.data, 'SQL null')
)
from unnest(array[null, 'null', '["S3CRET"]', '"S3CRET"', '{"session": "S3CRET"}']) as d (data);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
