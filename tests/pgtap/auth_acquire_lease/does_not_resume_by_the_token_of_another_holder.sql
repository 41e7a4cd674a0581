begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select results_eq(
  $$select l.acquired, l.token, l.holder, l.expires_at
    from auth_acquire_lease('acme', 'worker-2', p_token => current_setting('test.token')::bigint) as l$$,
  $$values (false, null::bigint, 'worker-1', timestamptz '2026-03-01 12:01:00Z')$$,
  'a live one'
);
select set_config('auth_state.now', '2026-03-01 13:00:00Z', true);
select results_eq(
  $$select l.acquired, l.token, l.holder, l.expires_at
    from auth_acquire_lease('acme', 'worker-2', p_token => current_setting('test.token')::bigint) as l$$,
  $$values (false, null::bigint, 'worker-1', timestamptz '2026-03-01 12:01:00Z')$$,
  'nor one that is over'
);

select * from finish();
rollback;
