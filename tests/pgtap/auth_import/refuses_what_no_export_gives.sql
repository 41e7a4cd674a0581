begin;
\ir ../refuses.psql
select plan(25);

set local role app;
select pg_temp.refuses(format('select auth_import(''acme'', %L)', s.state), 'WA001', s.path, coalesce(s.state, 'SQL null'))
from (
  values
  (null, 'p_state'),
  ('null', 'p_state'),
  ('["S3CRET"]', 'p_state'),
  ('"S3CRET"', 'p_state'),
  ('{}', 'p_state'),
  ('{"keys": {}}', 'p_state["format"]'),
  ('{"format": 2, "keys": {}}', 'p_state["format"]'),
  ('{"format": "1", "keys": {}}', 'p_state["format"]'),
  ('{"format": 1}', 'p_state["keys"]'),
  ('{"format": 1, "keys": null}', 'p_state["keys"]'),
  ('{"format": 1, "keys": ["S3CRET"]}', 'p_state["keys"]'),
  ('{"format": 1, "keys": {"session": "S3CRET"}}', 'p_state["keys"]["session"]'),
  ('{"format": 1, "keys": {"": {"1.0": "S3CRET"}}}', 'p_state["keys"][""]'),
  ('{"format": 1, "keys": {"session": {"": "S3CRET"}}}', 'p_state["keys"]["session"][""]'),
  ('{"format": 1, "keys": {"session": {"1.0": null}}}', 'p_state["keys"]["session"]["1.0"]'),
  ('{"format": 1, "keys": {}, "creds": ["S3CRET"]}', 'p_state["creds"]'),
  ('{"format": 1, "keys": {}, "creds": 1}', 'p_state["creds"]'),
  ('{"format": 1, "keys": {}, "creds": null, "creds_updated_at": "S3CRET"}', 'p_state["creds_updated_at"]'),
  ('{"format": 1, "keys": {}, "creds": null, "creds_updated_at": 1}', 'p_state["creds_updated_at"]'),
  ('{"format": 1, "keys": {}, "times": ["S3CRET"]}', 'p_state["times"]'),
  ('{"format": 1, "keys": {}, "times": {"session": "S3CRET"}}', 'p_state["times"]["session"]'),
  ('{"format": 1, "keys": {}, "times": {"session": {"1.0": "S3CRET"}}}', 'p_state["times"]["session"]["1.0"]'),
  ('{"format": 1, "keys": {}, "times": {"session": {"1.0": ["2026-02-30T12:00:00Z", null]}}}', 'p_state["times"]["session"]["1.0"]'),
  ('{"format": 1, "keys": {}, "S3": "S3CRET"}', 'p_state["S3"]')
) as s (state, path);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
