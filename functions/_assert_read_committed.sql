-- Under any other level the snapshot is older than the lock, and the check behind the lock sees the past.
create or replace function _assert_read_committed ()
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
end
$func$;
