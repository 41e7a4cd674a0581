-- The lease rule. A row counts in the server history in which it was written, and only as a lease function
-- wrote it: what a dump or a replication brings was written by another transaction. A standby has no history of
-- its own; it shows what its primary has.
create or replace function _is_live (
  p_expires_at timestamptz,
  p_given_in text,
  p_written_by xid,
  p_xmin xid,
  p_now timestamptz
)
returns boolean
language sql
volatile
parallel restricted
return p_expires_at > p_now
       and coalesce(p_written_by = p_xmin, false)
       and case when pg_is_in_recovery() then true else p_given_in = _server_history() end;
