begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select is(
  auth_set_keys('acme', jsonb_build_object(repeat('x', 128), '{"1": 1}'::jsonb, repeat('é', 64), '{"1": 1}'::jsonb)), 2, '128 bytes'
);
select pg_temp.refuses(
  $$select auth_set_keys('acme', jsonb_build_object(repeat('x', 129), '{"1": "S3CRET"}'::jsonb))$$, 'WA001', 'p_data["xxx', '129 bytes'
);
select pg_temp.refuses(
  $$select auth_set_keys('acme', jsonb_build_object(repeat('é', 64) || 'x', '{"1": "S3CRET"}'::jsonb))$$,
  'WA001', 'p_data["ééé', '65 characters of 129 bytes'
);

select * from finish();
rollback;
