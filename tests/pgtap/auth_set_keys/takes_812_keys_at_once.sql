begin;
select plan(2);

set local role app;
select is(
  auth_set_keys('acme', jsonb_build_object('pre-key', (select jsonb_object_agg(i, i) from generate_series(1, 812) as i))), 812,
  'a first connect'
);
select is(
  auth_get_keys('acme', 'pre-key', array(select i::text from generate_series(1, 812) as i))::jsonb,
  (select jsonb_object_agg(i, i) from generate_series(1, 812) as i),
  'and reads them back'
);

select * from finish();
rollback;
