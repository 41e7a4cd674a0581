-- What one batch removes: whole units, a unit being a key or both halves of a LID mapping, oldest first.
create or replace function _removable_keys (
  p_now timestamptz,
  p_window bigint,
  p_limit integer,
  p_company_id text,
  p_only text[]
)
returns table (company_id text, key_type text, key_id text)
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  return query
  select t.company_id, t.key_type, t.key_id
    from (
      -- A running count whose peers are the keys of a unit: it counts them all or none.
      select u.company_id, u.key_type, u.key_id,
             count(*) over (order by u.expires_at, u.company_id, u.unit) as keys
        from (
          select h.company_id, h.key_type, h.key_id, h.unit,
                 min(min(h.expires_at)) over unit as expires_at,
                 count(*) over unit as size
            from (
              select e.company_id, e.unit, e.expires_at, x.key_type, x.key_id
                from _expired_keys(p_now, p_window, p_company_id, '{}', p_only) e
               cross join lateral (values (e.key_type, e.key_id), (e.partner_type, e.partner_id)) x (key_type, key_id)
               where not e.is_kept and x.key_id is not null
            ) h
           group by h.company_id, h.unit, h.key_type, h.key_id
          window unit as (partition by h.company_id, h.unit)
        ) u
       where u.size <= p_limit
    ) t
   where t.keys <= p_limit;
end
$func$;
