-- Of these companies' keys past their expiry: which may go, p_limit of them at most, and which are renewed as of
-- when. Most may go. A LID mapping is kept while it is in use, while its other half lives, and when it or its
-- other half cannot be read (encrypted). In use is a session <user>.<device> or <user>_<domain>.<device> of
-- either side; Baileys 6 names a LID's <lid>.<device>, too. Each company is read once as a whole, and its keys
-- looked up in hash tables: an index probe for each question costs several times as much.
create or replace function _sort_expired_keys (
  p_now timestamptz,
  p_companies text[],
  p_limit bigint,
  out removable tid[],
  out renewable tid[],
  out renewed_at timestamptz[],
  out looked_at bigint,
  out has_more boolean
)
language plpgsql
stable
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set work_mem = '64MB'
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $func$
declare
  v_mappings constant text[] := array['lid-mapping', 'lid-mapping-reverse'];
  v_types constant text[] := v_mappings || array(select l.key_type from whatsapp_key_ttl l
                                                  where l.ttl is not null and l.key_type <> all(v_mappings));
  -- Their rows may bear the expiry of before.
  v_changed constant text[] := array(select l.key_type from whatsapp_key_ttl l where l.changed_at is not null);
  v_held tid[];
begin
  with own as materialized (
    select r.tid, r.company_id, r.is_expired, r.is_mapping, r.is_reverse, r.name,
           case when octet_length(r.other) between 1 and 40 and r.other !~ '[^0-9A-Za-z_-]' then r.other end as other
      from (
        select k.ctid as tid, k.company_id,
               case
                 when k.expires_at > p_now or k.expires_at is null then false
                 when k.key_type <> all(v_changed) then true
                 else (k.updated_at + (select l.ttl from whatsapp_key_ttl l where l.key_type = k.key_type) <= p_now) is true
               end as is_expired,
               k.key_type = any(v_mappings) as is_mapping,
               k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse' as is_reverse,
               case when right(k.key_id, 8) = '_reverse' then left(k.key_id, -8) else k.key_id end as name,
               case when k.key_type = any(v_mappings) and jsonb_typeof(k.value) = 'string' then k.value #>> '{}' end as other
          from whatsapp_keys k
         where k.company_id = any(p_companies) and k.key_type = any(v_types)
        offset 0  -- or each use of these would compute them again
      ) r
  ),
  users as materialized (
    select s.company_id, s.name
      from (
        -- What stands before a dot or an underscore of a session's id. Nearly all have one of each at most.
        select k.company_id,
               unnest(case when k.key_id like '%.%.%' or k.key_id like '%!_%!_%' escape '!'
                        then array(select left(k.key_id, n - 1) from generate_series(1, length(k.key_id)) n
                                    where substr(k.key_id, n, 1) in ('.', '_'))
                        else array[nullif(split_part(k.key_id, '.', 1), k.key_id), nullif(split_part(k.key_id, '_', 1), k.key_id)]
                      end) as name
          from whatsapp_keys k
         where k.company_id = any(p_companies) and k.key_type = 'session'
      ) s
     where s.name is not null
  ),
  expired as (
    select o.tid,
           case
             when not o.is_expired then null
             when not o.is_mapping then 'g'
             when o.other is null
               or (o.company_id, o.name) in (select u.company_id, u.name from users u)
               or (o.company_id, o.other) in (select u.company_id, u.name from users u)
               or (o.company_id, o.other, not o.is_reverse) in (
                 select x.company_id, x.name, x.is_reverse from own x where x.is_mapping and x.other is null)
               or (o.company_id, o.name, o.is_reverse) in (
                 select x.company_id, x.name, x.is_reverse from own x where x.is_mapping and x.other is null)
               then 'u'
             when (o.company_id, case when o.is_reverse then o.other else o.name end, case when o.is_reverse then o.name else o.other end) in (
                 select x.company_id, case when x.is_reverse then x.other else x.name end, case when x.is_reverse then x.name else x.other end
                   from own x
                  where x.is_mapping and x.other is not null and not x.is_expired)
               then 'h'
             else 'g'
           end::"char" as lot
      from own o
    offset 0
  )
  select coalesce(array_agg(e.tid) filter (where e.lot = 'g'), '{}'),
         array_agg(e.tid) filter (where e.lot = 'u'),
         array_agg(e.tid) filter (where e.lot = 'h'),
         count(*)
    into removable, renewable, v_held, looked_at
    from expired e;
  renewed_at := array_fill(p_now, array[coalesce(cardinality(renewable), 0)]);

  if v_held is not null then
    -- As of the other half's last write. Where that is longer ago than its own ttl it is kept as it is.
    select renewable || array_agg(n.tid), renewed_at || array_agg(n.at)
      into renewable, renewed_at
      from (
        select o.tid, max(h.updated_at) as at
          from (
            select k.ctid as tid, k.company_id, l.ttl,
                   case
                     when k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse'
                       then array[k.value #>> '{}', regexp_replace(k.key_id, '_reverse$', '')]
                     else array[k.key_id, k.value #>> '{}']
                   end as unit
              from whatsapp_keys k
              join whatsapp_key_ttl l on l.key_type = k.key_type
             where k.ctid = any(v_held)
          ) o
         cross join lateral (values ('lid-mapping', o.unit[1], o.unit[2]), ('lid-mapping', o.unit[2] || '_reverse', o.unit[1]),
                                    ('lid-mapping-reverse', o.unit[2], o.unit[1])) f (key_type, key_id, other)
          join whatsapp_keys h
            on h.company_id = o.company_id and h.key_type = f.key_type and h.key_id = f.key_id and h.value = to_jsonb(f.other)
         where h.ctid <> o.tid
         group by o.tid, o.ttl
        having max(h.updated_at) + o.ttl > p_now
      ) n;
  end if;

  has_more := cardinality(removable) > p_limit;
  if has_more then
    -- Whole units, a unit being a key or both halves of a mapping, oldest first: a running count whose peers are
    -- the keys of a unit counts them all or none.
    removable := array(
      select c.tid
        from (
          select u.tid, count(*) over (order by u.since, u.company_id, u.unit) as keys
            from (
              select o.tid, o.company_id, o.unit, min(o.expires_at) over unit as since, count(*) over unit as size
                from (
                  select k.ctid as tid, k.company_id, k.expires_at,
                         case
                           when k.key_type <> all(v_mappings) then array[k.key_type, k.key_id]
                           when k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse'
                             then array[k.value #>> '{}', regexp_replace(k.key_id, '_reverse$', ''), null]
                           else array[k.key_id, k.value #>> '{}', null]
                         end as unit
                    from whatsapp_keys k
                   where k.ctid = any(removable)
                ) o
              window unit as (partition by o.company_id, o.unit)
            ) u
           where u.size <= p_limit
        ) c
       where c.keys <= p_limit);
  end if;
end
$func$;
