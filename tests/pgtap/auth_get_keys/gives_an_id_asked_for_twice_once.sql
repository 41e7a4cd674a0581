begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select results_eq(
  $$select e.key, e.value #>> '{}' from json_each(auth_get_keys('acme', '{"session": ["1.0", "1.0"]}') -> 'session') as e$$,
  $$values ('1.0', '1')$$,
  'of several types'
);
select results_eq(
  $$select e.key, e.value #>> '{}' from json_each(auth_get_keys('acme', 'session', '{1.0,1.0}')) as e$$,
  $$values ('1.0', '1')$$,
  'of one type'
);

select * from finish();
rollback;
