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
as $func$
declare
  v_now timestamptz;
  v_removed bigint;
begin
  if p_company_id is null then
    perform _assert_service();
  else
    perform _assert_company(p_company_id);
  end if;
  perform _assert_positive(p_batch_size, 'p_batch_size');
  if p_dry_run is distinct from false then
    return _remove_expired_keys(_now(), p_batch_size, true, p_company_id);
  end if;
  perform _assert_transaction();
  if not pg_try_advisory_xact_lock_shared(_ttl_lock_key()) then
    return 0::bigint;
  end if;
  v_now := _now();
  v_removed := _remove_expired_keys(v_now, p_batch_size, false, p_company_id);
  if v_removed > 0 then
    perform _audit(coalesce(p_company_id, ''), 'cleanup', v_now, v_removed);
  elsif p_company_id is null then
    perform _tidy_up(v_now);
  end if;
  return v_removed;
end
$func$;

comment on function cleanup_expired_keys (integer, boolean, text) is $$
Removes keys past their expiry and returns how many, at most `p_batch_size`: call it again, each time in a transaction of its own, until it returns 0. Companies are taken in the order of their oldest expired key, so many in a call that about 2000 keys are looked at, and a large one whole: a writer waits for no more than that. A LID mapping is never removed while the company has a session for either side of the pair: the pair is renewed instead, which does not count. A company under a live lease loses nothing: its holder keeps the keys in memory. Both halves of a pair go together, so a batch of one removes none. A mapping that cannot be read (encrypted) is never removed. Once nothing is left to remove, leases long over, audit rows past the setting audit_retention (90 days) and creds history past its time go, too.

- `p_batch_size`: one or more.
- `p_dry_run`: true removes nothing and returns how many calls until 0 would remove, `p_batch_size` at most.
- `p_company_id`: this company only; null for all.

Errors: WA001, WA006 (isolation level), 42501, 55P03 (the table stayed locked). Locks: each company's, by a try: a busy company is skipped and its keys go another time; of those that lose keys until the transaction ends, up to 1100 at once, of the others while they are looked at. A writer that changes a mapping which is being renewed waits for the call to end. Returns 0 while auth_set_ttl is at work.
$$;
