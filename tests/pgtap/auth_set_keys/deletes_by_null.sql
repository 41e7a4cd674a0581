begin;
select plan(3);

select auth_set_keys('acme', '{"session": {"1.0": "a", "2.0": "b"}, "pre-key": {"1.0": "c"}}');

select is(auth_set_keys('acme', '{"session": {"1.0": null}}'), 1, 'one row changed');
select is(auth_get_keys('acme', '{"session": ["1.0", "2.0"], "pre-key": ["1.0"]}')::jsonb,
  '{"session": {"1.0": null, "2.0": "b"}, "pre-key": {"1.0": "c"}}'::jsonb,
  'that key and no other is gone');
select is((select count(*) from whatsapp_keys), 2::bigint, 'no row stays behind');

select * from finish();
rollback;
