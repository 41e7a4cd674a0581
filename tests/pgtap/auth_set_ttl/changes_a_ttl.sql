begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select is(auth_set_ttl('lid-mapping', '1 day'), 1::bigint, 'one row follows');
select results_eq(
  $$select expires_at from auth_list_keys('acme', 'lid-mapping')$$, array[timestamptz '2026-03-02 12:00:00Z'], 'its expiry'
);

select * from finish();
rollback;
