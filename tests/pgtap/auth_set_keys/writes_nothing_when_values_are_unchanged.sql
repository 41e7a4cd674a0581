begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"session": {"1.0": {"a": 1, "b": [2]}, "2.0": "x"}}');
select set_config('test.rows', string_agg(ctid::text, ' ' order by key_id), true) from whatsapp_keys;
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(auth_set_keys('acme', '{"session": {"1.0": {"b": [2.0], "a": 1}, "2.0": "x"}}'), 0, 'they are not counted');
select is(
  (select string_agg(ctid::text, ' ' order by key_id) from whatsapp_keys), current_setting('test.rows'), 'no row was written'
);
select is((select max(updated_at) from whatsapp_keys), '2026-03-01 12:00:00Z', 'they keep their time');

select * from finish();
rollback;
