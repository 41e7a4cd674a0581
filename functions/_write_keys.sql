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
  v_good boolean;
  v_new whatsapp_keys[];
  v_rows tid[];
  v_values jsonb[];
  v_expiries timestamptz[];
  v_changed integer := 0;
  v_gone integer;
  v_stale integer;
begin
  if jsonb_typeof(p_data) is distinct from 'object' then
    perform _assert_batch(p_data, 'p_data');
  end if;
  select array_agg(row(p_company_id, t.key, e.key, e.value, p_now, p_now, p_now + l.ttl)::whatsapp_keys)
           filter (where old.ctid is null and e.value <> 'null'),
         array_agg(old.ctid) filter (where old.is_changed),
         array_agg(e.value) filter (where old.is_changed),
         array_agg(p_now + l.ttl) filter (where old.is_changed),
         count(*) filter (where old.is_gone)::integer,
         count(*) filter (where old.is_stale)::integer,
         bool_and(jsonb_typeof(t.value) = 'object' and octet_length(t.key) between 1 and 128
                  and (e.key is null or octet_length(e.key) between 1 and 1024))
    into v_new, v_rows, v_values, v_expiries, v_gone, v_stale, v_good
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
  if v_rows is not null then
    update whatsapp_keys k
       set value = c.value, updated_at = p_now, expires_at = c.expires_at
      from unnest(v_rows, v_values, v_expiries) c (tid, value, expires_at)
     where k.ctid = c.tid and k.company_id = p_company_id;
    get diagnostics v_changed = row_count;
  end if;
  if v_new is not null then
    insert into whatsapp_keys
    select n.*
      from unnest(v_new) n;
  end if;
  if v_gone > 0 then
    v_gone := _delete_keys(p_company_id, p_data);
  end if;
  if v_stale > 0 then
    perform _renew_keys(p_company_id, p_data, p_now);
  end if;
  return v_changed + coalesce(cardinality(v_new), 0) + v_gone;
end
$func$;
