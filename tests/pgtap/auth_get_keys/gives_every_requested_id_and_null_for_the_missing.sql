begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": {"version": "v1"}}}');
select is(
  auth_get_keys('acme', '{"session": ["1.0", "2.0"], "pre-key": ["7"]}')::jsonb,
  '{"session": {"1.0": {"version": "v1"}, "2.0": null}, "pre-key": {"7": null}}'::jsonb,
  'of several types'
);
select is(
  auth_get_keys('acme', 'session', array['1.0', '2.0'])::jsonb, '{"1.0": {"version": "v1"}, "2.0": null}'::jsonb, 'of one type'
);

select * from finish();
rollback;
