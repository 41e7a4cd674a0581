-- Behind _begin_write: writes what differs, and answers how many rows that was. It looks first, one index
-- probe per id, since even an upsert that changes nothing would lock and log its row; the company's lock keeps
-- what it saw as it was.
create or replace function _write_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns integer
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $func$
declare
  v_done integer := 0;
  v_good boolean;
  v_found tid[];
  v_entries whatsapp_keys[];
  v_changed integer;
  v_updated integer;
  v_gone integer;
  v_stale integer;
begin
  if jsonb_typeof(p_data) is distinct from 'object' then
    perform _assert_batch(p_data, 'p_data');
  end if;
  -- Four of five batches are sessions alone, and a message changes its sessions: then this one look is enough.
  if p_data - 'session' = '{}' and jsonb_typeof(p_data -> 'session') = 'object' then
    update whatsapp_keys k
       set value = e.value,
           updated_at = p_now,
           expires_at = p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = 'session')
      from (
        select p_company_id as company_id, 'session' as key_type, j.key as key_id, j.value
          from jsonb_each(p_data -> 'session') j
        offset 0  -- or a plan made without statistics would read the company whole, for each row
      ) e
     where k.company_id = e.company_id and k.key_type = e.key_type and k.key_id = e.key_id
       and k.value <> e.value and e.value <> 'null';
    get diagnostics v_done = row_count;
    if v_done = jsonb_array_length(jsonb_path_query_array(p_data, '$.session.*')) then
      return v_done;
    end if;
  end if;

  select array_agg(old.ctid) filter (where coalesce(old.is_changed, e.value <> 'null')),
         array_agg(row(p_company_id, t.key, e.key, e.value, p_now, p_now, p_now + l.ttl)::whatsapp_keys)
           filter (where coalesce(old.is_changed, e.value <> 'null')),
         count(*) filter (where old.is_changed)::integer,
         count(*) filter (where old.is_gone)::integer,
         count(*) filter (where old.is_stale)::integer,
         bool_and(jsonb_typeof(t.value) = 'object' and octet_length(t.key) between 1 and 128
                  and (e.key is null or octet_length(e.key) between 1 and 1024))
    into v_found, v_entries, v_changed, v_gone, v_stale, v_good
    from jsonb_each(p_data) t
    left join whatsapp_key_ttl l on l.key_type = t.key
    left join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value end) e on true
    left join lateral (
      select k.ctid,
             e.value = 'null' as is_gone,
             e.value <> 'null' and k.value <> e.value as is_changed,
             k.expires_at is not null and (k.updated_at <= p_now - interval '1 day' or k.expires_at <= p_now)
             and k.value = e.value as is_stale
        from whatsapp_keys k
       where k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key
      offset 0
    ) old on true;

  if not v_good then
    perform _assert_batch(p_data, 'p_data');
  end if;
  if v_changed > 0 then
    -- By address alone: as an index condition the company would be read whole for each row, where the plan was
    -- made without statistics.
    update whatsapp_keys k
       set value = w.value, updated_at = w.updated_at, expires_at = w.expires_at
      from unnest(v_found, v_entries) w (tid, company_id, key_type, key_id, value, created_at, updated_at, expires_at)
     where k.ctid = w.tid and k.company_id || '' = p_company_id;
    get diagnostics v_updated = row_count;
    if v_updated < v_changed then
      -- auth_set_ttl, which takes no company's lock, has moved a row meanwhile, and its ttl is another.
      update whatsapp_keys k
         set value = w.value,
             updated_at = w.updated_at,
             expires_at = p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = w.key_type)
        from unnest(v_entries) w
       where k.company_id = p_company_id and k.key_type = w.key_type and k.key_id = w.key_id;
    end if;
  end if;
  if cardinality(v_entries) > v_changed then
    insert into whatsapp_keys
    select w.company_id, w.key_type, w.key_id, w.value, w.created_at, w.updated_at, w.expires_at
      from unnest(v_found, v_entries) w (tid, company_id, key_type, key_id, value, created_at, updated_at, expires_at)
     where w.tid is null;
  end if;
  if v_gone > 0 then
    v_gone := _delete_keys(p_company_id, p_data);
  end if;
  if v_stale > 0 then
    perform _renew_keys(p_company_id, p_data, p_now);
  end if;
  return v_done + coalesce(cardinality(v_entries), 0) + v_gone;
end
$func$;
