begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(
  'used ' || s.name,
  jsonb_build_object('lid-mapping', jsonb_build_object(s.name, '118'), 'session', jsonb_build_object(s.session_id, 1))
)
from (values
  ('96_302', '96_302.0'), ('9.6_3', '9.6_3_128.0'), ('9_6_3', '9_6_3_1.0'), ('9.6.3', '9.6.3.0'), ('9_', '9__1.0'), ('9.', '9..0')
) as s (name, session_id);
select auth_set_keys(
  'unused ' || s.name,
  jsonb_build_object('lid-mapping', jsonb_build_object(s.name, '118'), 'session', jsonb_build_object(s.session_id, 1))
)
from (values
  ('96_302', '96_302'), ('9_6_3', '9_6_30_1.0'), ('9.6.3', '9.6.0'), ('6_3', '9_6_3_1.0'), ('3.0', '9.6.3.0')
) as s (name, session_id);
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(cleanup_expired_keys(), 5::bigint, 'a name is what stands before the device or the domain, whatever it holds');
select results_eq(
  'select keys, count(*) from auth_list_companies() group by 1 order by 1',
  'values (1::bigint, 5::bigint), (2::bigint, 6::bigint)',
  'no other'
);

select * from finish();
rollback;
