-- Waits as long as the caller's lock_timeout or auth_state.lock_wait allows, whichever is shorter.
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
      hint = coalesce('Process ' || v_pid || ' holds the lock: see pg_stat_activity; pg_terminate_backend(' || v_pid || ') ends it.',
                      'The lock has just become free: try again.');
end
$func$;
