create or replace function auth_list_keys (
  p_company_id text,
  p_key_type text,
  p_after text default null,
  p_limit integer default 1000,
  p_values boolean default true
)
returns table (key_id text, value jsonb, updated_at timestamptz, expires_at timestamptz)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  perform _assert_key_type(p_key_type);
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select k.key_id, case when p_values then k.value end, k.updated_at, k.expires_at
    from whatsapp_keys k
   where k.company_id = p_company_id and k.key_type = p_key_type and k.key_id > coalesce(p_after, '')
   order by k.key_id
   limit p_limit;
end
$func$;

comment on function auth_list_keys (text, text, text, integer, boolean) is $$
One page of a company's keys of one type, in byte order of their ids. The next page begins after the last id of this one.

- `p_after`: list ids greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.
- `p_values`: false leaves `value` null and reads ids and times only.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
