begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"pre-key": {"1": "a", "2": "b"}}');
select is(auth_set_keys('acme', '{"pre-key": {"1": null, "2": "c", "3": "d"}, "session": {"1.0": "e"}}'), 4, 'four rows changed');
select is(
  auth_get_keys('acme', '{"pre-key": ["1", "2", "3"], "session": ["1.0"]}')::jsonb,
  '{"pre-key": {"1": null, "2": "c", "3": "d"}, "session": {"1.0": "e"}}'::jsonb,
  'one gone, one replaced, two new'
);

select * from finish();
rollback;
