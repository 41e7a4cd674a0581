begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"tctoken": {"__index": ["a"]}, "not invented yet": {"x": 1}}');
select is(
  auth_get_keys('acme', '{"tctoken": ["__index"], "not invented yet": ["x"]}')::jsonb,
  '{"tctoken": {"__index": ["a"]}, "not invented yet": {"x": 1}}'::jsonb,
  'they are kept like any other'
);

select * from finish();
rollback;
