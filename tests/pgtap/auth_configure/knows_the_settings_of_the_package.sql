begin;
select plan(1);

set local role app;
select results_eq(
  $$
    select s.name, auth_configure(s.name, null)
    from unnest(array['lock_wait', 'history_versions', 'audit_retention', 'keep_deleted', 'keep_snapshots', 'starts_per_call']) as s (name)
  $$,
  $$
    values
    ('lock_wait', '5s'), ('history_versions', '5'), ('audit_retention', '90 days'), ('keep_deleted', '7 days'),
    ('keep_snapshots', '90 days'), ('starts_per_call', '10')
  $$,
  'and their defaults'
);

select * from finish();
rollback;
