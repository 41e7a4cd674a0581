begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1, "2.0": 2}, "pre-key": {"7": 3}, "session-x": {"1": 4}}');
select is(auth_clear_keys('acme', 'session'), 2::bigint, 'two of them');
select is(
  auth_get_keys('acme', '{"session": ["1.0"], "pre-key": ["7"], "session-x": ["1"]}')::jsonb,
  '{"session": {"1.0": null}, "pre-key": {"7": 3}, "session-x": {"1": 4}}'::jsonb,
  'the others stay'
);

select * from finish();
rollback;
