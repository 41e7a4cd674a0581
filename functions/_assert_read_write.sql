-- What a standby has may be old: nothing about a lease is said from there.
create or replace function _assert_read_write ()
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  if current_setting('transaction_read_only') = 'on' then
    raise exception using errcode = '25006',
      message = 'Auth state cannot be written in a read-only transaction.',
      detail = case when pg_is_in_recovery() then 'This server is a standby.' else 'This server is no standby; the transaction, the login or the database is read-only.' end,
      hint = 'Send every call to the primary: target_session_attrs=read-write finds it among several hosts. Elsewhere: begin read write.';
  end if;
end
$func$;
