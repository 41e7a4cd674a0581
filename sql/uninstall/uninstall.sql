-- Removes what is in the schema that is first in search_path. Where accounts are stored it refuses, unless
-- it is told to drop them. Both are said by settings of its one transaction, written behind its first
-- statement, so that nothing stays in the session, where a pooler would hand it to somebody else:
--   begin; set local search_path = whatsapp; set local auth_state.uninstall = 'drop data';
-- Run it as the login that installed, or as a superuser.

begin;
set local transaction_isolation = 'read committed';
set local transaction_read_only = off;
set local row_security = on;
set local standard_conforming_strings = on;

do $uninstall$
declare
  v_schema constant name := current_schema();
  v_me constant name := current_user;
  v_consent constant text := coalesce(current_setting('auth_state.uninstall', true), '');
  v_accounts bigint;
  v_what text;
  v_detail text;
  v_role text;
  -- The owner last: it made the tenants.
  v_ours constant text[] := array['auth_state_tenant', 'auth_state_monitor', 'auth_state_proxy', 'auth_state_service',
                                  'auth_state_owner'];
begin
  perform pg_advisory_xact_lock(hashtextextended('pg_auth_state:install', 0));
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  -- Consent that somebody gave to the whole session is used up with this transaction.
  perform set_config('auth_state.uninstall', '', false);
  if not exists (select from pg_class c
                  where c.oid = to_regclass(format('%I.whatsapp_migrations', v_schema))
                    and c.relowner = to_regrole('auth_state_owner')) then
    raise exception using errcode = 'WA006',
      message = format('pg-auth-state is not installed in schema %I.', v_schema),
      hint = 'Write the schema it is in behind "begin;" of this file: set local search_path = whatsapp;';
  end if;

  -- The job first: it would go on calling what is no longer there.
  begin
    if (select p.proowner = to_regrole('auth_state_owner')
          from pg_proc p
         where p.oid = to_regprocedure(format('%I.auth_unschedule_cleanup()', v_schema))) then
      execute format('select %I.auth_unschedule_cleanup()', v_schema);
    end if;
  exception
    when sqlstate 'WA006' then
      get stacked diagnostics v_what = pg_exception_hint;
      raise notice 'if pg_cron has a job for this database, remove it there: %', v_what;
    when undefined_function or insufficient_privilege then
      null;
  end;

  if not pg_has_role(v_me, 'auth_state_owner',
                     case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end) then
    execute format('grant auth_state_owner to %I', v_me);
  end if;
  set local role auth_state_owner;

  execute format('select count(*) from (select company_id from %1$I.whatsapp_auth union select company_id from %1$I.whatsapp_keys) c', v_schema)
     into v_accounts;
  if v_accounts > 0 and v_consent <> 'drop data' then
    raise exception using errcode = 'WA006',
      message = format('%s accounts are stored here, and would be lost.', v_accounts),
      hint = 'Export them; then write behind "begin;" of this file: set local auth_state.uninstall = ''drop data'';';
  end if;
  -- Kept for a login or a database it would be consent to every uninstall there will ever be.
  if v_accounts > 0 and exists (
    select
      from pg_db_role_setting s
     cross join unnest(s.setconfig) c (setting)
     where starts_with(c.setting, 'auth_state.uninstall=')
       and s.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
  ) then
    raise exception using errcode = 'WA006',
      message = 'auth_state.uninstall is set for a login or for the database.',
      detail = format('%s accounts are stored here, and would be lost.', v_accounts),
      hint = 'Reset it there; then write behind "begin;" of this file: set local auth_state.uninstall = ''drop data'';';
  end if;

  for v_what in
    -- Policies and triggers need functions, functions need each other and tables: each kind goes at once.
    select format('drop policy %I on %s', p.polname, c.oid::regclass)
      from pg_policy p
      join pg_class c on c.oid = p.polrelid
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and pg_get_userbyid(c.relowner) = 'auth_state_owner'
    union all
    select format('drop trigger %I on %s', t.tgname, c.oid::regclass)
      from pg_trigger t
      join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and not t.tgisinternal
    union all
    -- All at once: they may use each other.
    select 'drop routine ' || string_agg(p.oid::regprocedure::text, ', ')
      from pg_proc p
     where p.pronamespace = to_regnamespace(quote_ident(v_schema)) and pg_get_userbyid(p.proowner) = 'auth_state_owner'
    having count(*) > 0
    union all
    select 'drop table ' || string_agg(c.oid::regclass::text, ', ')
      from pg_class c
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and c.relkind = 'r'
  loop
    continue when v_what is null;
    begin
      execute v_what;
    exception
      when dependent_objects_still_exist then
        get stacked diagnostics v_detail = pg_exception_detail;
        raise exception using errcode = 'WA006',
          message = 'Something of yours depends on what is to be removed.',
          detail = v_detail,
          hint = 'Drop it, then uninstall again.';
    end;
  end loop;
  alter default privileges for role auth_state_owner grant execute on functions to public;
  perform set_config('role', 'none', true);

  execute format('revoke all on schema %I from %s', v_schema,
                 (select string_agg(r.rolname, ', ') from pg_roles r where r.rolname = any(v_ours)));
  -- Roles are the cluster's: they stay while another database, or somebody's grant, still needs them.
  foreach v_role in array v_ours loop
    begin
      execute format('drop role %I', v_role);
    exception
      when undefined_object then
        null;
      when dependent_objects_still_exist or insufficient_privilege or object_in_use then
        raise notice 'role % stays: something else still uses it', v_role;
        if v_role = 'auth_state_owner' and not (select r.rolsuper from pg_roles r where r.rolname = v_me) then
          execute format('revoke auth_state_owner from %I', v_me);
        end if;
    end;
  end loop;
end
$uninstall$;

commit;
