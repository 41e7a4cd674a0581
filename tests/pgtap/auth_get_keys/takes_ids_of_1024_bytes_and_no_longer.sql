begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select lives_ok(
  $$select auth_get_keys('acme', jsonb_build_object('session', jsonb_build_array(repeat('😀', 256))))$$, '1024 bytes, of several types'
);
select pg_temp.refuses(
  $$select auth_get_keys('acme', jsonb_build_object('session', jsonb_build_array(repeat('😀', 256) || 'x')))$$,
  'WA001', '1025 bytes', '1025 bytes, of several types'
);
select lives_ok($$select auth_get_keys('acme', 'session', array[repeat('😀', 256)])$$, '1024 bytes, of one type');
select pg_temp.refuses(
  $$select auth_get_keys('acme', 'session', array[repeat('😀', 256) || 'x'])$$, 'WA001', '1025 bytes', '1025 bytes, of one type'
);

select * from finish();
rollback;
