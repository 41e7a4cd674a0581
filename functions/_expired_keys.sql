-- The oldest keys past their expiry. Most may go; a LID mapping is kept, by renewing it as of renewed_at,
-- while it is in use, while its other half lives, and when it cannot be read (encrypted). In use is a session
-- <user>.<device> or <user>_<domain>.<device> of either side; Baileys 6 names a LID's <lid>.<device>, too.
create or replace function _expired_keys (
  p_now timestamptz,
  p_limit integer,
  p_company_id text,
  p_skip text[],
  p_only text[]
)
returns table (
  company_id text,
  key_type text,
  key_id text,
  expires_at timestamptz,
  renewed_at timestamptz,
  partner_type text,
  partner_id text,
  unit text
)
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
as $func$
begin
  return query
  select k.company_id,
         k.key_type,
         k.key_id,
         k.expires_at,
         case
           when not k.is_mapping then null
           when m.pn is null then p_now
           when exists (select from whatsapp_keys s
                         where s.company_id = k.company_id and s.key_type = 'session'
                           and s.key_id >= m.pn || '.' and s.key_id < m.pn || '/')
             or exists (select from whatsapp_keys s
                         where s.company_id = k.company_id and s.key_type = 'session'
                           and s.key_id >= m.lid || '_' and s.key_id < m.lid || '`')
             or exists (select from whatsapp_keys s
                         where s.company_id = k.company_id and s.key_type = 'session'
                           and s.key_id >= m.lid || '.' and s.key_id < m.lid || '/')
             or exists (select from whatsapp_keys s
                         where s.company_id = k.company_id and s.key_type = 'session'
                           and s.key_id >= m.pn || '_' and s.key_id < m.pn || '`') then p_now
           when p.is_live then p.updated_at
         end,
         p.key_type,
         p.key_id,
         coalesce('pair ' || m.pn || ' ' || p.key_id, k.key_type || ' ' || k.key_id)
    from (
      select e.company_id, e.key_type, e.key_id, e.value, e.expires_at,
             e.key_type in ('lid-mapping', 'lid-mapping-reverse') as is_mapping
        from whatsapp_keys e
       where e.expires_at <= p_now
         and e.updated_at + (select l.ttl from whatsapp_key_ttl l where l.key_type = e.key_type) <= p_now
         and (p_company_id is null or e.company_id = p_company_id)
         and e.company_id <> all(p_skip)
         and (p_only is null or e.company_id = any(p_only))
       order by e.expires_at
       limit p_limit
    ) k
    left join lateral (
      select own.is_reverse,
             case when own.is_reverse then k.value #>> '{}' else own.name end as pn,
             case when own.is_reverse then own.name else k.value #>> '{}' end as lid
        from (
          select k.key_type = 'lid-mapping-reverse' or k.key_id like '%\_reverse' as is_reverse,
                 regexp_replace(k.key_id, '_reverse$', '') as name
        ) own
       where jsonb_typeof(k.value) = 'string' and k.value #>> '{}' ~ '^[0-9A-Za-z_-]{1,40}$'
    ) m on k.is_mapping
    left join lateral (
      select h.key_type, h.key_id, h.updated_at, h.expires_at is null or h.expires_at > p_now as is_live
        from (values ('lid-mapping', case when m.is_reverse then m.pn else m.lid || '_reverse' end),
                     ('lid-mapping-reverse', case when not m.is_reverse then m.lid end)) f (key_type, key_id)
        join whatsapp_keys h
          on h.company_id = k.company_id and h.key_type = f.key_type and h.key_id = f.key_id
         and h.value = to_jsonb(case when m.is_reverse then m.lid else m.pn end)
       limit 1
    ) p on true;
end
$func$;
