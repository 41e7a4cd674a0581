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
set jit = off
as $func$
declare
  v_sessions constant jsonb := p_data -> 'session';
  v_done integer := 0;
  v_good boolean;
  v_has_ttl boolean;
  v_is_there boolean;
  v_found tid[];
  v_types text[];
  v_ids text[];
  v_changed integer := 0;
  v_gone integer;
  v_stale integer;
begin
  if jsonb_typeof(p_data) is distinct from 'object' then
    perform _assert_batch(p_data, 'p_data');
  end if;
  -- Four of five batches are sessions alone, and a message changes them all: then this statement is enough.
  if jsonb_typeof(v_sessions) = 'object' and p_data - 'session' = '{}' then
    update whatsapp_keys k
       set value = v_sessions -> k.key_id,
           updated_at = p_now,
           expires_at = p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = 'session')
     where k.ctid = any(array(
             select old.ctid
               from jsonb_each(v_sessions) e
              cross join lateral (
                select o.ctid
                  from whatsapp_keys o
                 where o.company_id = p_company_id and o.key_type = 'session' and o.key_id = e.key
                   and o.value <> e.value and e.value <> 'null'
                offset 0
              ) old))
       and k.company_id || '' = p_company_id;
    get diagnostics v_done = row_count;
    if v_done = (select count(*) from jsonb_object_keys(v_sessions)) then
      return v_done;
    end if;
  end if;

  select bool_and(jsonb_typeof(t.value) = 'object' and octet_length(t.key) between 1 and 128
                  and (e.key is null or octet_length(e.key) between 1 and 1024)),
         exists (select from whatsapp_key_ttl l where p_data ? l.key_type and l.ttl is not null),
         bool_or(old.ctid is not null),
         array_agg(old.ctid) filter (where old.is_changed),
         array_agg(t.key) filter (where old.ctid is null and e.value <> 'null'),
         array_agg(e.key) filter (where old.ctid is null and e.value <> 'null'),
         count(*) filter (where old.is_gone)::integer,
         count(*) filter (where old.is_stale)::integer
    into v_good, v_has_ttl, v_is_there, v_found, v_types, v_ids, v_gone, v_stale
    from jsonb_each(p_data) t
    left join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value end) e on true
    left join lateral (
      select k.ctid,
             e.value = 'null' as is_gone,
             e.value <> 'null' and k.value <> e.value as is_changed,
             k.expires_at is not null and (k.updated_at <= p_now - interval '1 day' or k.expires_at <= p_now)
             and k.value = e.value as is_stale
        from whatsapp_keys k
       where k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key
      offset 0  -- a probe for each id, whatever the planner believes of the table
    ) old on true;

  if not v_good then
    perform _assert_batch(p_data, 'p_data');
  end if;
  if v_found is not null then
    -- By address alone: with a condition on the key a plan made without statistics reads the company instead.
    update whatsapp_keys k
       set value = p_data #> array[k.key_type, k.key_id],
           updated_at = p_now,
           expires_at = case when v_has_ttl then p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = k.key_type) end
     where k.ctid = any(v_found) and k.company_id || '' = p_company_id;
    get diagnostics v_changed = row_count;
    if v_changed < cardinality(v_found) then
      -- auth_set_ttl, which takes no company's lock, has moved a row meanwhile: look again.
      return v_done + v_changed + _write_keys(p_company_id, p_data, p_now);
    end if;
  end if;
  if v_ids is not null then
    insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
    select p_company_id, n.key_type, n.key_id, p_data #> array[n.key_type, n.key_id], p_now, p_now,
           case when v_has_ttl then p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = n.key_type) end
      from unnest(v_types, v_ids) n (key_type, key_id);
  end if;
  if v_ids is null and v_is_there is not true then
    perform _assert_policies();
  end if;
  if v_gone > 0 then
    v_gone := _delete_keys(p_company_id, p_data);
  end if;
  if v_stale > 0 then
    perform _renew_keys(p_company_id, p_data, p_now);
  end if;
  return v_done + v_changed + coalesce(cardinality(v_ids), 0) + v_gone;
end
$func$;
