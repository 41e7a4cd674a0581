-- What one batch removes: whole units, a unit being a key or both halves of a LID mapping, oldest first.
create or replace function _removable_keys (p_now timestamptz, p_limit integer, p_company_id text, p_only text[])
returns table (company_id text, key_type text, key_id text)
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  return query
  with expired as materialized (
    select * from _expired_keys(p_now, p_limit, p_company_id, '{}', p_only) e where e.renewed_at is null
  ),
  half as (
    select e.company_id, e.unit, e.key_type, e.key_id, e.expires_at from expired e
    union
    select e.company_id, e.unit, e.partner_type, e.partner_id, e.expires_at from expired e where e.partner_id is not null
  ),
  unit as (
    select h.company_id, h.unit, min(h.expires_at) as expires_at, count(distinct (h.key_type, h.key_id)) as keys
      from half h
     group by h.company_id, h.unit
  ),
  total as (
    select u.company_id, u.unit, sum(u.keys) over (order by u.expires_at, u.company_id, u.unit) as keys
      from unit u
  )
  select distinct h.company_id, h.key_type, h.key_id
    from half h
    join total t on t.company_id = h.company_id and t.unit = h.unit
   where t.keys <= p_limit;
end
$func$;
