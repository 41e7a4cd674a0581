begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select lives_ok($$select auth_get_keys('acme', jsonb_build_object(repeat('é', 64), '["1"]'::jsonb))$$, '128 bytes, of several types');
select pg_temp.refuses(
  $$select auth_get_keys('acme', jsonb_build_object(repeat('é', 64) || 'x', '["1"]'::jsonb))$$,
  'WA001', 'p_keys["ééé', '129 bytes, of several types'
);
select lives_ok($$select auth_get_keys('acme', repeat('é', 64), '{1}')$$, '128 bytes, of one type');
select pg_temp.refuses($$select auth_get_keys('acme', repeat('é', 64) || 'x', '{1}')$$, 'WA001', 'p_key_type', '129 bytes, of one type');

select * from finish();
rollback;
