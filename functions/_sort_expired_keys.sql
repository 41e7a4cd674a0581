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
set enable_nestloop = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $func$
declare
  v_types constant text[] := array['lid-mapping', 'lid-mapping-reverse'] || array(
    select l.key_type from whatsapp_key_ttl l where l.ttl is not null and l.key_type not in ('lid-mapping', 'lid-mapping-reverse'));
begin
  with own as materialized (
    select r.tid, r.company_id, r.expires_at, r.updated_at, r.ttl, r.is_expired, r.is_mapping,
           r.key_type = 'lid-mapping-reverse' or r.is_suffixed as is_reverse,
           case when r.is_suffixed then left(r.key_id, -8) else r.key_id end as name,
           case when octet_length(r.other) between 1 and 40 and r.other !~ '[^0-9A-Za-z_-]' then r.other end as other
      from (
        select k.ctid as tid, k.company_id, k.key_type, k.key_id, k.expires_at, k.updated_at, l.ttl,
               (k.expires_at <= p_now and k.updated_at <= l.since) is true as is_expired,
               k.key_type in ('lid-mapping', 'lid-mapping-reverse') as is_mapping,
               right(k.key_id, 8) = '_reverse' as is_suffixed,
               case when k.key_type in ('lid-mapping', 'lid-mapping-reverse') and jsonb_typeof(k.value) = 'string'
                 then k.value #>> '{}' end as other
          from whatsapp_keys k
          left join (select t.key_type, t.ttl, p_now - t.ttl as since from whatsapp_key_ttl t) l on l.key_type = k.key_type
         where k.company_id = any(p_companies) and k.key_type = any(v_types)
        offset 0  -- or each use of these would compute them again
      ) r
  ),
  users as materialized (
    select s.company_id, s.name
      from (
        -- What stands before a dot or an underscore of a session's id. Nearly all have one of each at most.
        select k.company_id,
               unnest(case when k.key_id like '%.%.%' or k.key_id like '%\_%\_%'
                        then array(select left(k.key_id, n - 1) from generate_series(1, length(k.key_id)) n
                                    where substr(k.key_id, n, 1) in ('.', '_'))
                        else array[nullif(split_part(k.key_id, '.', 1), k.key_id), nullif(split_part(k.key_id, '_', 1), k.key_id)]
                      end) as name
          from whatsapp_keys k
         where k.company_id = any(p_companies) and k.key_type = 'session'
      ) s
     where s.name is not null
  ),
  expired as materialized (
    select m.tid, m.company_id, m.expires_at, m.ttl, m.pn, m.lid,
           case
             when not m.is_mapping then false
             when m.other is null then true
             else (m.company_id, m.pn) in (select u.company_id, u.name from users u)
                  or (m.company_id, m.lid) in (select u.company_id, u.name from users u)
                  or (m.company_id, m.other, m.is_reverse) in (select o.company_id, o.name, not o.is_reverse from own o
                                                                where o.is_mapping and o.other is null)
           end as is_needed,
           case
             when m.is_mapping and m.other is not null
               then (m.company_id, m.pn, m.lid) in (select o.company_id, case when o.is_reverse then o.other else o.name end,
                                                           case when o.is_reverse then o.name else o.other end
                                                      from own o
                                                     where o.is_mapping and o.other is not null and not o.is_expired)
             else false
           end as is_held
      from (
        select o.*, case when o.is_reverse then o.other else o.name end as pn, case when o.is_reverse then o.name else o.other end as lid
          from own o
         where o.is_expired
      ) m
  ),
  going as (
    select e.* from expired e where not e.is_needed and not e.is_held
  ),
  renewed as materialized (
    select e.tid, p_now as at
      from expired e
     where e.is_needed
    union all
    select e.tid, max(o.updated_at)
      from expired e
      join own o on o.company_id = e.company_id
                and case when o.is_reverse then o.other else o.name end = e.pn
                and case when o.is_reverse then o.name else o.other end = e.lid
     where e.is_held and not e.is_needed and o.is_mapping and not o.is_expired
     group by e.tid, e.ttl
    having max(o.updated_at) + e.ttl > p_now
  )
  select case
           when (select count(*) from going) <= p_limit then array(select g.tid from going g)
           -- Whole units, a unit being a key or both halves of a mapping, oldest first: a running count whose
           -- peers are the keys of a unit counts them all or none.
           else array(
             select c.tid
               from (
                 select u.tid, count(*) over (order by u.since, u.company_id, u.pn, u.lid, u.single) as keys
                   from (
                     select g.tid, g.company_id, g.pn, g.lid, g.single, min(g.expires_at) over unit as since, count(*) over unit as size
                       from (select o.*, case when o.lid is null then o.tid end as single from going o) g
                     window unit as (partition by g.company_id, g.pn, g.lid, g.single)
                   ) u
                  where u.size <= p_limit
               ) c
              where c.keys <= p_limit)
         end,
         (select array_agg(r.tid order by r.tid) from renewed r),
         (select array_agg(r.at order by r.tid) from renewed r),
         (select count(*) from own),
         (select count(*) from going) > p_limit
    into removable, renewable, renewed_at, looked_at, has_more;
end
$func$;
