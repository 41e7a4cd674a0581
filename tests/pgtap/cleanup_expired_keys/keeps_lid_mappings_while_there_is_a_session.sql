-- An unchanged mapping is never written again: expiry by write time alone would delete exactly the live ones.
begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys(
  'session ' || s.id,
  jsonb_build_object('lid-mapping', '{"962302": "118", "118_reverse": "962302"}'::jsonb, 'session', jsonb_build_object(s.id, 1))
)
from unnest(array[
  '962302.0', '962302.23', '118_1.0', '118_1.23', '962302_128.99', '118_128.99', '962302_129.99', '118_129.99'
]) as s (id);
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);

select is(cleanup_expired_keys(), 0::bigint, 'nothing is removed, and what is renewed does not count');
select is_empty(
  $$
    select c.company_id, k.key_id, k.updated_at, k.expires_at
    from auth_list_companies() as c
    cross join lateral auth_list_keys(c.company_id, 'lid-mapping') as k
    where k.updated_at <> '2026-03-20 12:00:00Z' or k.expires_at <> '2026-03-27 12:00:00Z'
  $$,
  'both halves are renewed'
);
select is_empty('select * from auth_list_companies() where keys <> 3', 'for a session of either side, of each form');

select * from finish();
rollback;
