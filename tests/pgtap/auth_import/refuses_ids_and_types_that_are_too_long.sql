begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select pg_temp.refuses(
  $$select auth_import('acme', jsonb_build_object('format', 1, 'keys', jsonb_build_object(repeat('x', 129), '{"1": "S3CRET"}'::jsonb)))$$,
  'WA001', 'p_state["keys"]["xxx', 'a type of 129 bytes'
);
select pg_temp.refuses(
  $$
    select auth_import(
      'acme', jsonb_build_object('format', 1, 'keys', jsonb_build_object('session', jsonb_build_object(repeat('x', 1025), 'S3CRET')))
    )
  $$,
  'WA001', 'p_state["keys"]["session"]["xxx', 'an id of 1025 bytes'
);

select * from finish();
rollback;
