create or replace function cleanup_expired_keys (
  p_batch_size integer default 10000,
  p_dry_run boolean default false,
  p_company_id text default null
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $func$
declare
  v_now timestamptz;
  v_window constant bigint := greatest(p_batch_size, 1000)::bigint;
  v_removed bigint := 0::bigint;
  v_seen bigint;
  v_renewed bigint;
  v_companies text[];
  v_held text[];
  v_locked text[];
  v_skip text[] := '{}'::text[];
  v_locks integer := 0;
begin
  if p_company_id is null then
    perform _assert_service();
  else
    perform _assert_company(p_company_id);
  end if;
  perform _assert_positive(p_batch_size, 'p_batch_size');
  if p_dry_run is distinct from false then
    return (select count(*) from _removable_keys(_now(), null, p_batch_size, p_company_id, null));
  end if;
  perform _assert_read_committed();
  if not pg_try_advisory_xact_lock_shared(_ttl_lock_key()) then
    return 0::bigint;
  end if;
  v_now := _now();

  -- A round looks at a window of what has expired, renews what is kept and removes what it may of the rest.
  -- Only a round that removes nothing is followed by another, past the companies it could not get on with.
  loop
    with seen as materialized (
      select * from _expired_keys(v_now, v_window, p_company_id, v_skip, null)
    ),
    kept as (
      select s.company_id, s.key_type, s.key_id, s.renewed_at
        from seen s
       where s.renewed_at is not null
      union
      select s.company_id, s.partner_type, s.partner_id, s.renewed_at
        from seen s
       where s.renewed_at = v_now and s.partner_id is not null
    ),
    reached as materialized (
      select r.company_id, r.key_type, r.key_id, r.renewed_at
        from kept r
       cross join lateral (
         select
           from whatsapp_keys k
          where k.company_id = r.company_id and k.key_type = r.key_type and k.key_id = r.key_id
            and k.expires_at <= v_now
            for no key update skip locked
       ) free
    ),
    renewed as (
      update whatsapp_keys k
         set updated_at = r.renewed_at, expires_at = r.renewed_at + l.ttl
        from reached r
        join whatsapp_key_ttl l on l.key_type = r.key_type
       where k.company_id = r.company_id and k.key_type = r.key_type and k.key_id = r.key_id
      returning 1
    )
    select (select count(*) from seen),
           (select count(*) from renewed),
           array(select distinct s.company_id from seen s where not s.is_kept limit 1000),
           array(select distinct s.company_id
                   from seen s
                  where s.is_kept
                    and (s.company_id, s.key_type, s.key_id) not in (select r.company_id, r.key_type, r.key_id from reached r))
      into v_seen, v_renewed, v_companies, v_held;
    exit when v_seen = 0;

    v_locked := array(select c.id from unnest(v_companies) c (id) where pg_try_advisory_xact_lock(_lock_key(c.id)));
    if v_locked <> '{}' then
      delete from whatsapp_keys k
       using _removable_keys(v_now, v_window, p_batch_size, p_company_id, v_locked) r
       where k.company_id = r.company_id and k.key_type = r.key_type and k.key_id = r.key_id;
      get diagnostics v_removed = row_count;
      exit when v_removed > 0;
    end if;
    v_locks := v_locks + cardinality(v_locked);
    exit when v_locks >= 1000 or (v_renewed = 0 and v_companies = '{}' and v_held = '{}');
    v_skip := v_skip || v_companies || v_held;
  end loop;

  if v_removed > 0 then
    perform _audit(coalesce(p_company_id, ''), 'cleanup', v_now, v_removed);
  elsif p_company_id is null then
    perform _tidy_up(v_now);
  end if;
  return v_removed;
end
$func$;

comment on function cleanup_expired_keys (integer, boolean, text) is $$
Removes keys past their expiry and returns how many, at most `p_batch_size`: call it again, each time in a transaction of its own, until it returns 0. A LID mapping is never removed while the company has a session for either side of the pair: the pair is renewed instead, which does not count. Both halves of a pair go together, so a batch of one removes none. A mapping that cannot be read (encrypted) is never removed. Once nothing is left to remove, leases long over, audit rows past `auth_state.audit_retention` (90 days, 7 at least) and creds history past its time go, too.

- `p_batch_size`: one or more.
- `p_dry_run`: true removes nothing and returns what the next call would remove.
- `p_company_id`: this company only; null for all.

Errors: WA001, WA006 (isolation level), 42501. Locks: each company's, by a try: a busy company is skipped and its keys go another time; up to 2000 companies at once, until the transaction ends. A writer that changes a mapping which is being renewed waits for the call to end. Returns 0 while auth_set_ttl is at work.
$$;
