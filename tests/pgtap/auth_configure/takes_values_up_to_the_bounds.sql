begin;
select plan(16);

set local role app;
select lives_ok(format('select auth_configure(%L, %L)', s.name, s.value), format('%s %s', s.name, s.value))
from (
  values
  ('lock_wait', '1ms'), ('lock_wait', '1'), ('lock_wait', '10 minutes'), ('lock_wait', '600000'), ('lock_wait', '0.25s'),
  ('history_versions', '1'), ('history_versions', '999'),
  ('audit_retention', '7 days'), ('audit_retention', '1000 years'), ('audit_retention', '3 months'),
  ('keep_deleted', '0'), ('keep_deleted', '1000 years'),
  ('keep_snapshots', '1 day'), ('keep_snapshots', '1000 years'),
  ('starts_per_call', '1'), ('starts_per_call', '10000')
) as s (name, value);

select * from finish();
rollback;
