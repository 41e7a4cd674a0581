-- What every writer needs of its transaction. Under any level but READ COMMITTED the snapshot is older than the lock, and
-- the check behind the lock sees the past. What a standby has may be old: nothing about a lease is said from there.
create or replace function _assert_transaction ()
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  -- PostgreSQL treats read uncommitted as read committed (manual, 13.2).
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using errcode = 'WA006',
      message = format('Auth state is written under READ COMMITTED only, this transaction is %s.',
                       upper(current_setting('transaction_isolation'))),
      hint = 'begin isolation level read committed, or set default_transaction_isolation for this login.';
  end if;
  if current_setting('transaction_read_only') = 'on' then
    raise exception using errcode = '25006',
      message = 'Auth state cannot be written in a read-only transaction.',
      detail = case when pg_is_in_recovery() then 'This server is a standby.' else 'This server is no standby; the transaction, the login or the database is read-only.' end,
      hint = 'Send every call to the primary: target_session_attrs=read-write finds it among several hosts. Elsewhere: begin read write.';
  end if;
end
$func$;
