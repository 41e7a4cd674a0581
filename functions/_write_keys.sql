-- Behind _begin_write: writes what differs, and answers how many rows that was. What is there is read
-- first, one index probe per id, since even an upsert that changes nothing would lock and log its row.
create or replace function _write_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns integer
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_changed integer;
  v_gone integer;
  v_stale integer;
begin
  with wanted as materialized (
    select t.key as key_type,
           e.key as key_id,
           e.value,
           p_now + l.ttl as expires_at,
           e.value = 'null' as is_null,
           old.value is not null as is_there,
           old.value is distinct from nullif(e.value, 'null') as is_changed,
           old.expires_at is not null
           and (old.updated_at <= p_now - interval '1 day' or old.expires_at <= p_now) as is_stale
      from jsonb_each(p_data) t
      left join whatsapp_key_ttl l on l.key_type = t.key
     cross join lateral jsonb_each(t.value) e
      left join lateral (
        select k.value, k.updated_at, k.expires_at
          from whatsapp_keys k
         where k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key
        offset 0
      ) old on true
  ),
  stored as (
    insert into whatsapp_keys as k (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
    select p_company_id, w.key_type, w.key_id, w.value, p_now, p_now, w.expires_at
      from wanted w
     where w.is_changed and not w.is_null
    on conflict (company_id, key_type, key_id) do update
       set value = excluded.value, updated_at = excluded.updated_at, expires_at = excluded.expires_at
    returning 1
  )
  select (select count(*)::integer from stored),
         (select count(*)::integer from wanted w where w.is_null and w.is_there),
         (select count(*)::integer from wanted w where w.is_stale and not w.is_changed)
    into v_changed, v_gone, v_stale;

  if v_gone > 0 then
    v_changed := v_changed + _delete_keys(p_company_id, p_data);
  end if;
  if v_stale > 0 then
    perform _renew_keys(p_company_id, p_data, p_now);
  end if;
  return v_changed;
end
$func$;
