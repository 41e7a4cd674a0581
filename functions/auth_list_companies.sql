create or replace function auth_list_companies (p_after text default null, p_limit integer default 1000)
returns table (company_id text, version bigint, keys bigint, updated_at timestamptz)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_company constant text := _listed(null, false);
begin
  perform _assert_positive(p_limit, 'p_limit');
  -- From each company to the next by two index probes, however many keys lie between them.
  return query
  with recursive company (id) as (
    select least((select min(a.company_id) from whatsapp_auth a
                   where a.company_id > coalesce(p_after, '') and (v_company is null or a.company_id = v_company)),
                 (select min(k.company_id) from whatsapp_keys k
                   where k.company_id > coalesce(p_after, '') and (v_company is null or k.company_id = v_company)))
    union all
    select least((select min(a.company_id) from whatsapp_auth a where a.company_id > c.id),
                 (select min(k.company_id) from whatsapp_keys k where k.company_id > c.id))
      from company c
     where c.id is not null and v_company is null
  ),
  page as materialized (
    select c.id from company c where c.id is not null limit p_limit
  )
  select p.id, a.version, kept.keys, greatest(a.updated_at, kept.updated_at)
    from page p
    left join whatsapp_auth a on a.company_id = p.id
   cross join lateral (
     select count(*) as keys, max(k.updated_at) as updated_at
       from whatsapp_keys k
      where k.company_id = p.id
   ) kept
   order by p.id;
end
$func$;

comment on function auth_list_companies (text, integer) is $$
One page of the companies, in byte order of their ids: the version of their creds (null: none), how many keys they have, and when anything of theirs last changed. A company exists if it has creds or any key. A service that is confined to one company sees that one.

- `p_after`: list companies greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
