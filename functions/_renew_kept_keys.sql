-- What a cleanup does not remove lives on. Rows that a writer holds are renewed another time: no company's lock is held
-- here, and as _apply_ttl says, SKIP LOCKED may wait.
create or replace function _renew_kept_keys (p_now timestamptz, p_rows tid[], p_renewed_at timestamptz[])
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set lock_timeout = '100ms'
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
begin
  update whatsapp_keys k
     set updated_at = r.at, expires_at = r.at + l.ttl
    from (
      select f.ctid as tid, f.key_type, n.at
        from unnest(p_rows, p_renewed_at) n (tid, at)
        join whatsapp_keys f on f.ctid = n.tid
       where f.expires_at <= p_now
         for no key update of f skip locked
    ) r
    join whatsapp_key_ttl l on l.key_type = r.key_type
   where k.ctid = r.tid;
exception
  when lock_not_available then
    null;
end
$func$;
