-- Where a service has no functions for the write-ahead log, or keeps them from us, leases are bound to port and
-- database alone. Found out here, once, and not by every call.
do $install$
begin
  perform _timeline();
exception
  when others then
    raise notice 'leases do not end with a failover here: %', sqlerrm;
    create or replace function _timeline ()
    returns text
    language sql
    volatile
    parallel restricted
    return 'unknown';
end
$install$;
do $install$
begin
  perform _system_identifier();
exception
  when others then
    raise notice 'leases that a dump brings from another server are told by their transaction alone here: %', sqlerrm;
    create or replace function _system_identifier ()
    returns text
    language sql
    immutable
    parallel safe
    return 'unknown';
end
$install$;

-- What earlier versions read from `alter database ... set auth_state....` is kept in whatsapp_settings from now on.
do $install$
declare
  v_old record;
begin
  if coalesce(current_setting('auth_state.moves_settings', true), '') <> 'yes' then
    return;
  end if;
  for v_old in
    select k.name, substring(c.setting from '=(.*)$') as value, s.setrole
      from pg_db_role_setting s
      join pg_database d on d.oid = s.setdatabase and d.datname = current_database()
     cross join unnest(s.setconfig) c (setting)
      join _known_settings() k on starts_with(c.setting, 'auth_state.' || k.name || '=')
  loop
    begin
      if v_old.setrole <> 0::oid then
        raise sqlstate 'WA001';
      end if;
      perform _assert_setting(v_old.name, v_old.value, 'the value');
      insert into whatsapp_settings (name, value) values (v_old.name, v_old.value) on conflict (name) do nothing;
      raise notice 'auth_state.% of this database is kept by auth_configure now', v_old.name;
    exception
      when sqlstate 'WA001' then
        raise warning 'auth_state.% is not read any more, and what was set is not taken over', v_old.name
          using hint = format('select auth_configure(%L, ...)', v_old.name);
    end;
  end loop;
end
$install$;
