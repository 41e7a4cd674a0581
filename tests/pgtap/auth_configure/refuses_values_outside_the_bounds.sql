begin;
\ir ../refuses.psql
select plan(28);

set local role app;
select pg_temp.refuses(format('select auth_configure(%L, %L)', s.name, s.value), 'WA001', 'p_value is ', format('%s %s', s.name, s.value))
from (
  values
  ('lock_wait', '0'), ('lock_wait', '-1s'), ('lock_wait', '10 minutes 1 ms'), ('lock_wait', '600001'), ('lock_wait', ''),
  ('lock_wait', 'soon'), ('lock_wait', '1000000 years'), ('lock_wait', '1 day -23 hours -59 minutes'),
  ('history_versions', '0'), ('history_versions', '1000'), ('history_versions', '-1'), ('history_versions', '5.0'),
  ('history_versions', 'five'), ('history_versions', ''), ('history_versions', ' 5'), ('history_versions', '99999999999999999999'),
  ('audit_retention', '6 days 23:59:59'), ('audit_retention', '0'), ('audit_retention', 'infinity'), ('audit_retention', '1001 years'),
  ('keep_deleted', '-1 days'), ('keep_deleted', '1001 years'),
  ('keep_snapshots', '23 hours'), ('keep_snapshots', 'x'),
  ('starts_per_call', '0'), ('starts_per_call', '10001'), ('starts_per_call', '1 day')
) as s (name, value);
select results_eq(
  $$select auth_configure('history_versions', null), auth_configure('lock_wait', null)$$, $$values ('5', '5s')$$, 'nothing was written'
);

select * from finish();
rollback;
