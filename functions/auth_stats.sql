create or replace function auth_stats (p_company_id text default null)
returns table (
  company_id text,
  key_type text,
  keys bigint,
  bytes bigint,
  largest bigint,
  oldest timestamptz,
  newest timestamptz,
  expired bigint
)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_now constant timestamptz := _now();
  v_company constant text := _listed(p_company_id, true);
begin
  return query
  select k.company_id,
         k.key_type,
         count(*),
         sum(pg_column_size(k.value)),
         max(pg_column_size(k.value))::bigint,
         min(k.updated_at),
         max(k.updated_at),
         count(*) filter (where k.expires_at <= v_now)
    from whatsapp_keys k
   where v_company is null or k.company_id = v_company
   group by k.company_id, k.key_type
   order by k.company_id, k.key_type;
end
$func$;

comment on function auth_stats (text) is $$
How much is kept, by company and key type: number of keys, bytes as stored (compressed), the largest value, the oldest and newest `updated_at`, and how many are past their expiry. Never a value.

- `p_company_id`: null for all that the caller may see, which reads the whole key table.

For auth_state_monitor too.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
