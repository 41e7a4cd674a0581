begin;
\ir ../refuses.psql
select plan(10);

set local role app;
select pg_temp.refuses(format('select auth_get_keys(''acme'', %L::jsonb)', k.keys), 'WA001', k.path, k.keys)
from (
  values
  ('{"session": null}', 'p_keys["session"]'),
  ('{"session": "S3CRET"}', 'p_keys["session"]'),
  ('{"session": {"S3CRET": 1}}', 'p_keys["session"]'),
  ('{"session": 1}', 'p_keys["session"]'),
  ('{"session": [null]}', 'p_keys["session"][0]'),
  ('{"session": [1.0]}', 'p_keys["session"][0]'),
  ('{"session": [true]}', 'p_keys["session"][0]'),
  ('{"session": ["1.0", ["S3CRET"]]}', 'p_keys["session"][1]'),
  ('{"session": ["1.0", "2.0", {"S3CRET": 1}]}', 'p_keys["session"][2]'),
  ('{"session": ["1.0"], "pre-key": ["1", null]}', 'p_keys["pre-key"][1]')
) as k (keys, path);

select * from finish();
rollback;
