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

-- What earlier versions read from `alter database ... set auth_state....`, or from any other place where a setting can be
-- kept, is in whatsapp_settings from now on.
do $install$
declare
  v_old record;
  v_accounts bigint;
begin
  if coalesce(current_setting('auth_state.moves_settings', true), '') <> 'yes' then
    return;
  end if;
  for v_old in
    select o.name, o.value, o.role, o.place
      from (
        select k.name, substring(c.setting from '=(.*)$') as value, nullif(s.setrole, 0) as role, s.setdatabase,
               case when s.setrole = 0 and s.setdatabase = 0 then 'role all'
                    when s.setrole = 0 then format('database %I', d.datname)
                    else format('role %s', s.setrole::regrole) || coalesce(' in database ' || quote_ident(d.datname), '')
               end as place
          from pg_db_role_setting s
          left join pg_database d on d.oid = s.setdatabase
         cross join unnest(s.setconfig) c (setting)
          join _known_settings() k on starts_with(c.setting, 'auth_state.' || k.name || '=')
         where s.setdatabase = 0 or d.datname = current_database()
        union all
        -- postgresql.conf, alter system, or the installer's own session: custom settings do not say where they come from.
        select k.name, current_setting('auth_state.' || k.name, true), null, null, null from _known_settings() k
      ) o
     where o.value <> ''
     order by o.setdatabase desc nulls last
  loop
    continue when v_old.place is null and exists (select from whatsapp_settings s where s.name = v_old.name);
    begin
      if v_old.role is not null then
        raise sqlstate 'WA001';
      end if;
      perform _assert_setting(v_old.name, v_old.value, 'the value');
      insert into whatsapp_settings (name, value) values (v_old.name, v_old.value) on conflict (name) do nothing;
      raise notice 'auth_state.% is kept by auth_configure now', v_old.name
        using hint = coalesce(format('Once no older copy of our functions reads it: alter %s reset auth_state.%s', v_old.place, v_old.name),
                              format('It comes from postgresql.conf or from this session; remove auth_state.%s there.', v_old.name));
    exception
      when sqlstate 'WA001' then
        raise warning 'auth_state.% is not read any more, and what was set is not taken over', v_old.name
          using detail = coalesce('It was set for ' || v_old.place || '.', 'It comes from postgresql.conf or from this session.'),
                hint = format('select auth_configure(%L, ...)', v_old.name);
    end;
  end loop;

  select count(*) into v_accounts from whatsapp_auth a where _creds_fault(a.creds) is not null;
  if v_accounts > 0 then
    raise warning '% accounts have creds that no client can use: reading them is an error from now on', v_accounts
      using hint = 'select company_id from auth_list_companies(), then auth_creds_history and auth_restore_creds; or auth_delete_company.';
  end if;
end
$install$;
