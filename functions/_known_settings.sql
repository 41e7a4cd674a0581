-- The settings of the package: their defaults and bounds. A span is an interval, a bare number of it milliseconds.
create or replace function _known_settings ()
returns table (name text, kind text, default_value text, lowest text, highest text)
language sql
immutable
parallel safe
begin atomic
  select
    s.name,
    s.kind,
    s.default_value,
    s.lowest,
    s.highest
    from (values
      ('lock_wait', 'span', '5s', '1ms', '10 minutes'),
      ('history_versions', 'number', '5', '1', '999'),
      ('audit_retention', 'span', '90 days', '7 days', '1000 years'),
      ('keep_deleted', 'span', '7 days', '0', '1000 years'),
      ('keep_snapshots', 'span', '90 days', '1 day', '1000 years'),
      ('starts_per_call', 'number', '10', '1', '10000')
    ) as s (name, kind, default_value, lowest, highest);
end;
