begin;
select plan(2);

set local role app;
select is(auth_set_keys('acme', '{"session": {"1.0": "a", "2.0": "b"}, "pre-key": {"7": "c"}}'), 3, 'three rows changed');
select is(
  auth_get_keys('acme', '{"session": ["1.0", "2.0"], "pre-key": ["7"]}')::jsonb,
  '{"session": {"1.0": "a", "2.0": "b"}, "pre-key": {"7": "c"}}'::jsonb,
  'all are there'
);

select * from finish();
rollback;
