-- Waits as long as _lock_wait says. Who holds the lock may be committing and wait for a standby: to end that would
-- lose what was acknowledged, so nobody is told to.
create or replace function _wait_for_lock (p_key bigint, p_what text)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_wait constant integer := _lock_wait();
  v_timeout constant text := current_setting('lock_timeout');
  v_pid integer;
begin
  perform set_config('lock_timeout', v_wait::text, true);
  perform pg_advisory_xact_lock(p_key);
  perform set_config('lock_timeout', v_timeout, true);
exception
  when lock_not_available then
    select l.pid
      into v_pid
      from pg_locks l
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
       and l.classid::bigint = (p_key >> 32) & 4294967295
       and l.objid::bigint = p_key & 4294967295
     limit 1;
    raise exception using errcode = '55P03',
      message = format('%s stayed busy for %s ms.', p_what, v_wait),
      detail = 'Another transaction is writing. Nothing was written here.',
      hint = coalesce('Process ' || v_pid || ' holds the lock: see its state and wait_event in pg_stat_activity. Idle in transaction: '
                      'its client has to commit. SyncRep: the standby is away, and has to come back.',
                      'The lock has just become free: try again.');
end
$func$;
