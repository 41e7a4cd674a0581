-- The oldest keys past their expiry, p_window of them at most. Most may go. A LID mapping is kept while it is
-- in use, while its other half lives, and when it or its other half cannot be read (encrypted); where that
-- takes it out of sight it is renewed as of renewed_at. In use is a session <user>.<device> or
-- <user>_<domain>.<device> of either side; Baileys 6 names a LID's <lid>.<device>, too.
create or replace function _expired_keys (
  p_now timestamptz,
  p_window bigint,
  p_company_id text,
  p_skip text[],
  p_only text[]
)
returns table (
  company_id text,
  key_type text,
  key_id text,
  expires_at timestamptz,
  is_kept boolean,
  renewed_at timestamptz,
  partner_type text,
  partner_id text,
  unit text
)
language plpgsql
stable
parallel unsafe
set search_path from current
set plan_cache_mode = force_custom_plan
as $func$
declare
  v_user constant text := '^[0-9A-Za-z_-]{1,40}$';
begin
  return query
  select k.company_id,
         k.key_type,
         k.key_id,
         k.expires_at,
         k.is_mapping and (m.pn is null or u.is_used or coalesce(p.is_unreadable or p.is_live, false)),
         case
           when u.is_used or p.is_unreadable then p_now
           when p.is_live then case when p.updated_at + k.ttl > p_now then p.updated_at end
           when k.is_mapping and m.pn is null then p_now
         end,
         p.key_type,
         p.key_id,
         coalesce('pair ' || m.pn || ' ' || p.key_id, k.key_type || ' ' || k.key_id)
    from (
      select e.company_id, e.key_type, e.key_id, e.value, e.expires_at, l.ttl,
             e.key_type in ('lid-mapping', 'lid-mapping-reverse') as is_mapping
        from whatsapp_keys e
        join whatsapp_key_ttl l on l.key_type = e.key_type
       where e.expires_at <= p_now
         and e.updated_at + l.ttl <= p_now
         and (p_company_id is null or e.company_id = p_company_id)
         and e.company_id <> all(p_skip)
         and (p_only is null or e.company_id = any(p_only))
       order by e.expires_at
       limit p_window
    ) k
    left join lateral (
      select own.is_reverse,
             case when own.is_reverse then own.other else own.name end as pn,
             case when own.is_reverse then own.name else own.other end as lid
        from (
          select k.key_type = 'lid-mapping-reverse' or right(k.key_id, 8) = '_reverse' as is_reverse,
                 regexp_replace(k.key_id, '_reverse$', '') as name,
                 k.value #>> '{}' as other
        ) own
       where k.is_mapping and jsonb_typeof(k.value) = 'string' and own.other ~ v_user
    ) m on true
    left join lateral (
      select exists (select from whatsapp_keys s
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
                        and s.key_id >= m.pn || '_' and s.key_id < m.pn || '`') as is_used
       where m.pn is not null
    ) u on true
    left join lateral (
      select h.key_type, h.key_id, h.updated_at,
             h.expires_at is null or h.expires_at > p_now as is_live,
             not t.is_plain as is_unreadable
        from (values ('lid-mapping', case when m.is_reverse then m.pn else m.lid || '_reverse' end),
                     ('lid-mapping-reverse', case when not m.is_reverse then m.lid end)) f (key_type, key_id)
        join whatsapp_keys h
          on h.company_id = k.company_id and h.key_type = f.key_type and h.key_id = f.key_id
       cross join lateral (select jsonb_typeof(h.value) = 'string' and h.value #>> '{}' ~ v_user as is_plain) t
       where m.pn is not null
         and (not t.is_plain or h.value #>> '{}' = case when m.is_reverse then m.lid else m.pn end)
       limit 1
    ) p on true;
end
$func$;
