begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_acquire_lease('globex', 'worker-2', '1 hour');
select auth_acquire_lease('acme', 'worker-1', '1 minute');
select set_config('auth_state.now', '2026-03-01 12:01:00Z', true);
select results_eq(
  $$select l.company_id, l.holder, l.expires_at, l.is_live from auth_list_leases() as l$$,
  $$
    values
    ('acme', 'worker-1', timestamptz '2026-03-01 12:01:00Z', false), ('globex', 'worker-2', '2026-03-01 13:00:00Z', true)
  $$,
  'lapsed ones too'
);

select * from finish();
rollback;
