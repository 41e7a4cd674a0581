begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1": "a"}, "pre-key": {"1": "b"}}');
select is(
  auth_get_keys('acme', '{"session": ["1"], "pre-key": ["1"], "sender-key": ["1"]}')::jsonb,
  '{"session": {"1": "a"}, "pre-key": {"1": "b"}, "sender-key": {"1": null}}'::jsonb,
  'the same id in each'
);

select * from finish();
rollback;
