begin;
select plan(4);

set local role app;
select is(auth_get_keys('acme', '{}')::text, '{}', 'no type');
select is(auth_get_keys('acme', '{"session": []}')::jsonb, '{"session": {}}'::jsonb, 'no id of a type');
select is(
  auth_get_keys('acme', '{"session": [], "pre-key": ["1"]}')::jsonb, '{"session": {}, "pre-key": {"1": null}}'::jsonb,
  'no id of one type, but of another'
);
select is(auth_get_keys('acme', 'session', '{}')::text, '{}', 'no id');

select * from finish();
rollback;
