begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": "a"}}');
select pg_temp.refuses(
  $$select auth_set_keys(
    'acme', '{"session": {"1.0": "S3CRET", "2.0": "S3CRET"}, "pre-key": {"": "S3CRET"}, "sender-key": {"3": "S3CRET"}}'
  )$$,
  'WA001', 'p_data["pre-key"][""]', 'one id is empty'
);
select is(
  auth_get_keys('acme', '{"session": ["1.0", "2.0"], "sender-key": ["3"]}')::jsonb,
  '{"session": {"1.0": "a", "2.0": null}, "sender-key": {"3": null}}'::jsonb,
  'nothing was written'
);

select * from finish();
rollback;
