-- The shape auth_export gives, nothing else; the first fault is named by its path, never by its value.
create or replace function _assert_state (p_state jsonb)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_path text := 'p_state';
  v_fault text;
  v_are_times boolean := false;
begin
  -- Each time is what _utc gives, as all are but a few: then they need no look one by one, which is slower.
  begin
    v_are_times := not exists (
      select
        from jsonb_each(p_state -> 'times') t
       cross join lateral jsonb_each(t.value) e
       where (jsonb_typeof(e.value) = 'array'
              and e.value ->> 0 = to_char((e.value ->> 0)::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) is not true);
  exception
    when data_exception then
      null;
  end;
  if p_state is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_state) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_state);
  else
    select 'p_state' || f.path, f.fault
      into v_path, v_fault
      from (
        select format('[%s]', to_json(left(s.key, 100))) as path, 'is unknown' as fault
          from jsonb_object_keys(p_state) s (key)
         where s.key not in ('format', 'creds', 'creds_updated_at', 'keys', 'times')
        union all
        select '["format"]', 'is not 1'
         where p_state -> 'format' is distinct from '1'
        union all
        select '["creds_updated_at"]', 'is not a UTC time'
         where coalesce(p_state -> 'creds_updated_at', 'null') <> 'null'
           and (jsonb_typeof(p_state -> 'creds_updated_at') <> 'string' or _from_utc(p_state ->> 'creds_updated_at') is null)
        union all
        select '["keys"]', 'is missing'
         where p_state -> 'keys' is null
        union all
        select format('["keys"][%s][%s]', to_json(left(t.key, 100)), to_json(left(e.key, 100))), 'is null, and a missing key is left out'
          from jsonb_each(case when jsonb_typeof(p_state -> 'keys') = 'object' then p_state -> 'keys' else '{}' end) t
         cross join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) e
         where jsonb_path_exists(p_state, '$.keys.*.* ? (@ == null)') and e.value = 'null'
        union all
        select '["times"]', 'is a JSON ' || jsonb_typeof(p_state -> 'times')
         where jsonb_typeof(p_state -> 'times') <> 'object'
        union all
        select format('["times"][%s]', to_json(left(t.key, 100))), 'is a JSON ' || jsonb_typeof(t.value)
          from jsonb_each(case when jsonb_typeof(p_state -> 'times') = 'object' then p_state -> 'times' else '{}' end) t
         where jsonb_typeof(t.value) <> 'object'
        union all
        select format('["times"][%s][%s]', to_json(left(t.key, 100)), to_json(left(e.key, 100))),
               'is not an array that begins with a UTC time'
          from jsonb_each(case when jsonb_typeof(p_state -> 'times') = 'object' then p_state -> 'times' else '{}' end) t
         cross join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) e
         where not v_are_times
           and (jsonb_typeof(e.value) <> 'array'
                or jsonb_typeof(e.value -> 0) is distinct from 'string'
                or _from_utc(e.value ->> 0) is null)
      ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'A state is what auth_export gives.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"format": 1, "creds": {...}, "keys": {"session": {"1.0": {...}}}, "times": {"session": {"1.0": ["2026-11-23T04:55:00Z", null]}}}; creds and times may be left out.';
  end if;
  if coalesce(p_state -> 'creds', 'null') <> 'null' then
    perform _assert_creds(p_state -> 'creds', 'p_state["creds"]');
  end if;
  perform _assert_batch(p_state -> 'keys', 'p_state["keys"]');
end
$func$;
