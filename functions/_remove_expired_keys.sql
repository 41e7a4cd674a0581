-- Behind cleanup_expired_keys: removes a batch, or in a dry run counts it, and renews what is kept. A company under
-- a live lease is left alone: its holder keeps the keys in memory, and would never write them again.
create or replace function _remove_expired_keys (
  p_now timestamptz,
  p_batch_size integer,
  p_is_dry boolean,
  p_company_id text
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  -- So few that a writer of a company under way waits for milliseconds.
  v_budget constant bigint := case when p_is_dry then 2147483647 else least(greatest(p_batch_size, 1000), 2000) end::bigint;
  v_leased constant text[] := array(select l.company_id
                                      from whatsapp_leases l
                                     where _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now));
  v_queue text[] := array(select p_company_id where p_company_id is not null and p_company_id <> all(v_leased));
  v_is_last boolean := p_company_id is not null;
  v_from timestamptz := '-infinity'::timestamptz;
  v_slice text[];
  v_size integer := 1;
  v_seen text[] := '{}'::text[];
  v_found record;
  v_rows bigint;
  v_removed bigint := 0::bigint;
  v_looked_at bigint := 0::bigint;
  v_average bigint;
  v_spent bigint := 0::bigint;
  v_locks integer := 0;
begin
  -- Companies in the order of their oldest expired key, a few at a time, until so many keys have been looked at
  -- and something removed, or no company is left.
  loop
    if v_queue = '{}' then
      exit when v_is_last;
      -- What is left of before v_from is of companies that were seen.
      select array_agg(c.company_id order by c.since), max(c.until), p_is_dry or sum(c.keys) < (v_budget / 10)::numeric
        into v_queue, v_from, v_is_last
        from (
          select o.company_id, min(o.expires_at) as since, max(o.expires_at) as until, count(*) as keys
            from (
              select k.company_id, k.expires_at
                from whatsapp_keys k
               where k.expires_at between v_from and p_now and k.company_id not in (select s.id from unnest(v_seen || v_leased) s (id))
               order by k.expires_at
               limit case when not p_is_dry then case when v_seen = '{}' then v_budget / 10 else v_budget end end
            ) o
           group by o.company_id
        ) c;
      exit when v_queue is null;
    end if;
    v_slice := v_queue[:v_size];
    v_queue := v_queue[v_size + 1:];
    v_seen := v_seen || v_slice;

    if p_is_dry then
      v_found := _sort_expired_keys(p_now, v_slice, p_batch_size - v_removed);
      v_rows := cardinality(v_found.removable)::bigint;
    else
      begin
        v_slice := array(select c.id from unnest(v_slice) c (id) where pg_try_advisory_xact_lock(_lock_key(c.id)));
        -- Behind the lock: a lease may have been given meanwhile.
        v_slice := array(select c.id
                           from unnest(v_slice) c (id)
                          where not exists (
                            select
                              from whatsapp_leases l
                             where l.company_id = c.id
                               and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now)));
        v_found := _sort_expired_keys(p_now, v_slice, p_batch_size - v_removed);
        with gone as (
          delete from whatsapp_keys k
           where k.ctid = any(v_found.removable) and k.expires_at <= p_now
          returning k.company_id
        ),
        ended as (
          -- The last holder cannot go on as if nothing had been written.
          update whatsapp_leases l
             set written_by = null
           where l.company_id in (select g.company_id from gone g) and l.written_by is not null
        )
        select count(*) into v_rows from gone;
        -- Companies that lose nothing are let go again: any number of them may only be renewed.
        if v_rows = 0::bigint then
          raise no_data_found;
        end if;
        v_locks := v_locks + cardinality(v_slice);
      exception
        when no_data_found then
          null;
      end;
      if v_found.renewable is not null then
        perform _renew_kept_keys(p_now, v_found.renewable, v_found.renewed_at);
      end if;
    end if;
    v_removed := v_removed + v_rows;
    v_looked_at := v_looked_at + v_found.looked_at;
    if v_rows > 0 then
      v_spent := v_spent + v_found.looked_at;
    end if;
    v_average := v_looked_at / cardinality(v_seen) + 1;
    exit when v_removed > 0 and (v_found.has_more or v_locks >= 1000 or v_budget - v_spent < v_average);
    v_size := least(64::bigint, greatest(1::bigint, (v_budget - v_spent) / v_average))::integer;
  end loop;
  return v_removed;
end
$func$;
