-- Of what may lose writes that were acknowledged, in a crash or a failover.
create or replace function _warn_of_lost_writes ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_is_synchronous constant boolean := current_setting('synchronous_standby_names') <> '';
  -- Details of replication are not for everybody. Logical subscribers are connected to a database.
  v_standbys constant text := (
    select string_agg(distinct quote_ident(r.application_name), ', ')
      from pg_stat_replication r
      join pg_stat_activity a on a.pid = r.pid
     where a.datid is null and r.application_name !~ '^(pg_basebackup|pg_receivewal|barman)'
  );
begin
  return query
  select format('A crash of the server may lose writes that were acknowledged, because of %s = off for the server: %s',
                s.name,
                case s.source when 'command line' then format('start it with %s = on', s.name)
                              else format('alter system set %s = on', s.name) end)
    from pg_settings s
   where s.name in ('fsync', 'full_page_writes') and s.setting = 'off'
   order by s.name;

  return query
  select distinct
         format('A %s may lose writes that were acknowledged, because of %s: %s synchronous_commit = on',
                case when s.value ->> 'synchronous_commit' = 'local' then 'failover' else 'crash of the server' end,
                s.reason ->> 'synchronous_commit', s.way_out ->> 'synchronous_commit')
    from _list_session_settings('{"synchronous_commit": ["on", "on"]}') s
   where s.value ->> 'synchronous_commit' in ('off', '0')
         or (s.value ->> 'synchronous_commit' = 'local' and (v_is_synchronous or v_standbys is not null))
   order by 1;

  if v_standbys is not null and not v_is_synchronous and not pg_is_in_recovery() then
    return next format('A failover to %s, an asynchronous standby, may lose the last writes that were acknowledged: '
                       'alter system set synchronous_standby_names = %L', v_standbys, 'ANY 1 (*)');
  end if;
end
$func$;
