begin;
select plan(3);

set local role app;
select auth_set_ttl('device-list', '30 days');
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
-- In use and encrypted ones first, so that they fill whole batches; then what may go.
select auth_set_keys(
  'company ' || c,
  jsonb_build_object(
    'lid-mapping', (
      select
        jsonb_object_agg(i, '118' || i)
        || jsonb_object_agg('118' || i || '_reverse', i::text)
        || jsonb_object_agg('x' || i, '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'::jsonb)
      from generate_series(1, 5) as i
    ),
    'session', (select jsonb_object_agg(i || '.0', 1) from generate_series(1, 5) as i)
  )
)
from generate_series(1, 3) as c;
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_set_keys(
  'company ' || c,
  jsonb_build_object(
    'lid-mapping', '{"962302": "999", "999_reverse": "962302"}'::jsonb,
    'device-list', (select jsonb_object_agg(i, 1) from generate_series(1, 5) as i)
  )
)
from generate_series(1, 3) as c;
select set_config('auth_state.now', '2026-06-01 12:00:00Z', true);

create function pg_temp.call_until_0() returns bigint language plpgsql as $$
declare
  v_removed bigint;
  v_total bigint := 0;
begin
  for i in 1 .. 100 loop
    v_removed := cleanup_expired_keys(4);
    exit when v_removed = 0;
    v_total := v_total + v_removed;
  end loop;
  return v_total;
end
$$;
select is(pg_temp.call_until_0(), 3 * 7::bigint, 'all that may go is gone');
select is(cleanup_expired_keys(), 0::bigint, 'no larger batch finds more');
select is((select sum(keys) from auth_list_companies()), 3 * 20::numeric, 'all that is in use or encrypted stays');

select * from finish();
rollback;
