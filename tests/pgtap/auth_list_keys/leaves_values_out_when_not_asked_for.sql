begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select results_eq(
  $$select key_id, value from auth_list_keys('acme', 'session', p_values => false)$$,
  $$values ('1.0', null::jsonb)$$,
  'null in their place'
);

select * from finish();
rollback;
