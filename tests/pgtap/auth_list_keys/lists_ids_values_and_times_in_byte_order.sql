begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"b": 1, "10": {"x": 2}, "9": "n", "B": [3], "é": null, "ä": false}, "session": {"a": 1}}');
select auth_set_keys('globex', '{"lid-mapping": {"a": 1}}');

select results_eq(
  $$select * from auth_list_keys('acme', 'lid-mapping')$$,
  $$
    select k.key_id, k.value::jsonb, timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-08 12:00:00Z'
    from (values ('10', '{"x": 2}'), ('9', '"n"'), ('B', '[3]'), ('b', '1'), ('ä', 'false')) as k (key_id, value)
  $$,
  'of that company and type'
);

select * from finish();
rollback;
