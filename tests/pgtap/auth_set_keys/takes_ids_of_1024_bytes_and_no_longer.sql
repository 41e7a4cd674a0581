begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select is(
  auth_set_keys(
    'acme', jsonb_build_object('session', jsonb_build_object(repeat('x', 1024), 1, repeat('é', 512), 2, repeat('😀', 256), 3))
  ), 3, '1024 bytes'
);
select is(
  auth_get_keys('acme', 'session', array[repeat('é', 512)])::jsonb, jsonb_build_object(repeat('é', 512), 2), 'which can be read'
);
select pg_temp.refuses(
  $$select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object(repeat('x', 1025), 'S3CRET')))$$,
  'WA001', 'p_data["session"]["xxx', '1025 bytes'
);
select pg_temp.refuses(
  $$select auth_set_keys('acme', jsonb_build_object('session', jsonb_build_object(repeat('é', 512) || 'x', 'S3CRET')))$$,
  'WA001', 'p_data["session"]["ééé', '513 characters of 1025 bytes'
);

select * from finish();
rollback;
