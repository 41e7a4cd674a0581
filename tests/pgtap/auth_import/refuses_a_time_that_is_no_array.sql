begin;
-- A string was taken once, and silently became the time of the import.
\ir ../refuses.psql
select plan(16);

set local role app;
select pg_temp.refuses(
  format(
    'select auth_import(%L, %L, %L)', 'acme',
    format('{"format": 1, "keys": {"session": {"1.0": 1}}, "times": {"session": {"1.0": %s}}}', t.given), m.mode
  ),
  'WA001', 'p_state["times"]["session"]["1.0"] is not an array that begins with a UTC time.', t.given || ', ' || m.mode
)
from unnest(array[
  '"2024-01-02T03:04:05.000000Z"', '{"0": "2024-01-02T03:04:05.000000Z"}', '1704164645', 'null', '[["2024-01-02T03:04:05.000000Z"]]'
]) as t (given)
cross join unnest(array['new', 'merge', 'replace']) as m (mode);
select is_empty('select * from auth_list_companies()', 'nothing was written');

select * from finish();
rollback;
