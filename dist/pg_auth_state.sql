-- pg-auth-state 0.1.0, built by `make sql` from sql/ and functions/.

-- sql/000_header.sql
-- WhatsApp Web auth state in PostgreSQL 15 and later: credentials and Signal keys of any number of
-- accounts ("companies"), behind SQL functions that are one atomic batch each.
--
-- This file installs and upgrades: run it with `psql -X -v ON_ERROR_STOP=1 -f`, paste it into an SQL editor, or
-- let `pg-auth-state install` run it. It is one transaction of its own under one advisory lock: what else psql -1
-- is given is not in it. Migrations run once
-- per database, everything else is applied again each time; running it twice changes nothing.
-- Everything goes into the schema that is first in search_path; a schema named there that does not
-- exist is created. The installer may be any login with CREATEROLE that owns the schema.
--
-- Tables
--   whatsapp_auth        creds of a company, with a version that only grows
--   whatsapp_keys        Signal keys by company, key type and key id; expires_at where the type has a ttl
--   whatsapp_leases      who may write a company at present, and the fencing token that proves it
--   whatsapp_auth_history  earlier creds: the last few, and the last before each change of identity
--   whatsapp_audit       who did what to which company when; never a value
--   whatsapp_key_ttl     how long keys of a type live without being written
--   whatsapp_settings    settings of the package that are not at their default
--   whatsapp_tenant_roles  which company a database login is confined to
--   whatsapp_migrations  which migrations ran
--
-- The functions are the only door: tables and functions belong to auth_state_owner, which nobody can
-- log in as, and no other role has a privilege on a table. Each function first asks who is calling: the role
-- that was set, or the login. Behind that stands row-level security, forced, on the same answer, so that a
-- mistake in a function still shows and changes nobody else's rows.
--   auth_state_service   a trusted back end: every company; set local auth_state.company_id narrows it to one
--   auth_state_tenant    one company: the one its login is bound to (auth_bind_role, which outranks all else),
--                        or the company_id claim of request.jwt.claims where a proxy logged in
--   auth_state_proxy     whose claims are believed: PostgREST's authenticator
--   auth_state_monitor   numbers, leases and the audit log; never creds or a value
-- Supabase's service_role, authenticated and authenticator are made members of the first three.
--
-- How a writing function works, always in this order
--   1. that the caller may act for the company; the arguments are checked whole before anything is written
--   2. the isolation level must be READ COMMITTED: any other would see a snapshot older than the lock
--   3. the company's advisory lock is taken in a statement of its own, until the transaction ends
--   4. the clock is read, then the lease, then the version: all of them after the lock
--   5. set-based statements write what really changed
-- The lock makes check and write one, keeps overlapping batches free of deadlocks, and never makes
-- two companies wait for each other. No session state is kept, so a transaction-mode pooler is fine.
--
-- Reading     auth_get_creds auth_get_keys auth_creds_version auth_list_keys auth_list_companies
--             auth_export auth_stats auth_status auth_schema_version
-- Writing     auth_init_creds auth_save_creds auth_set_keys auth_save_state auth_import
--             auth_clear_keys auth_delete_company
-- History     auth_creds_history auth_restore_creds auth_forget_history
-- Leases      auth_acquire_lease auth_renew_lease auth_release_lease auth_list_leases
-- Access      auth_bind_role auth_unbind_role auth_list_audit
-- Settings    auth_configure
-- Expiry      cleanup_expired_keys auth_set_ttl auth_schedule_cleanup auth_unschedule_cleanup
--             auth_cleanup_job
--
-- Error codes: WA001 invalid input, WA002 lease held or lost, WA003 version conflict, WA004 no such
-- company or version, WA005 identity change refused, WA006 unsafe or impossible request.
--
-- Of a session: auth_state.company_id, the one company a service confines itself to; auth_state.on_behalf_of, for
-- whom a service or a proxy acts, for the audit log; auth_state.lock_wait, a shorter wait for a company than the
-- setting lock_wait. Everything else is kept by auth_configure.
--
-- A lease belongs to the history of the server on which it was given: after a promotion, a point-in-time recovery, a
-- restore or a copy it is over. Nothing is believed that holds only while everything is as installed: a function of
-- another owner, missing policies, a database that is not UTF8 are errors, never "no creds".

begin;
set local transaction_isolation = 'read committed';
set local transaction_read_only = off;
set local row_security = on;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;

-- sql/010_schema_and_roles.sql
-- Who installs, and where: one installer at a time, one schema per database. Nothing that somebody else may
-- have put into the schema is called, and nothing is found there, before we know whose it is.
do $install$
declare
  v_path text := current_setting('search_path');
  v_given constant text := v_path;
  v_first text[];
  v_schema name;
  v_what text;
  v_owner oid;
begin
  -- Before anything else, and this file is plain ASCII: in such a database nothing else could be said.
  if getdatabaseencoding() <> 'UTF8' then
    raise exception using errcode = 'WA006',
      message = format('This database is %s, and WhatsApp names need UTF8.', getdatabaseencoding()),
      detail = 'Names with letters that the encoding lacks could be neither stored nor read.',
      hint = 'Install into another one: create database ... encoding ''UTF8'' template template0';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('pg_auth_state:install', 0));
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  -- Whoever makes a role is not to be granted it by a setting of theirs; PostgreSQL 16 and later.
  if current_setting('server_version_num')::integer >= 160000 then
    perform set_config('createrole_self_grant', '', true);
  end if;

  if current_setting('server_version_num')::integer < 150000 then
    raise exception using errcode = 'WA006',
      message = 'pg-auth-state needs PostgreSQL 15 or later.',
      detail = format('This server is %s.', current_setting('server_version'));
  end if;

  -- The first name of the path; "$user" counts where there is such a schema.
  loop
    v_first := regexp_match(v_path, '^[[:space:]]*(?:"((?:[^"]|"")*)"|([^",[:space:]]+))[[:space:]]*(?:,(.*))?$');
    v_schema := coalesce(replace(v_first[1], '""', '"'), lower(v_first[2]));
    exit when v_schema is distinct from '$user';
    v_schema := current_user;
    exit when to_regnamespace(quote_ident(v_schema)) is not null;
    v_path := v_first[3];
  end loop;
  if v_schema is null or v_schema = '' or starts_with(v_schema, 'pg_') or v_schema in ('information_schema', 'cron') then
    raise exception using errcode = 'WA006',
      message = 'There is no schema to install into.',
      detail = format('search_path is %s.', to_json(v_given)),
      hint = 'Put the schema that is meant first, in the same transaction: set local search_path = public';
  end if;
  if to_regnamespace(quote_ident(v_schema)) is null then
    begin
      execute format('create schema %I', v_schema);
    exception
      when insufficient_privilege then
        get stacked diagnostics v_what = pg_exception_context;
        raise exception using errcode = '42501',
          message = format('%I may not create schema %I.', current_user, v_schema),
          detail = format('%s (%s)', sqlerrm, split_part(v_what, chr(10), 1)),
          hint = format('grant create on database %I to %I; or install into a schema that is there', current_database(), current_user);
    end;
  end if;

  select n.nspname::text into v_what
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relname = 'whatsapp_migrations' and c.relowner = to_regrole('auth_state_owner') and n.nspname <> v_schema
   limit 1;
  if v_what is not null then
    raise exception using errcode = 'WA006',
      message = format('pg-auth-state is installed in schema %I of this database.', v_what),
      detail = 'A client of a second copy would read "no creds".',
      hint = format('To upgrade that one: set local search_path = %I', v_what);
  end if;

  -- Whoever may create in the schema can plant an operator that a definer function would pick. Everybody may
  -- in databases that come from PostgreSQL 14; a role that was named is somebody's decision.
  select string_agg(case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end, ', '
                    order by a.grantee)
    into v_what
    from pg_namespace n
   cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    left join pg_roles r on r.oid = a.grantee
   where n.nspname = v_schema and a.privilege_type = 'CREATE'
     and a.grantee <> n.nspowner and a.grantee is distinct from to_regrole('auth_state_owner')
     and r.rolsuper is not true and r.rolname is distinct from current_user;
  if starts_with(v_what, 'public') then
    raise exception using errcode = 'WA006',
      message = format('Everybody may create objects in schema %I, and so change what our functions do.', v_schema),
      detail = format('CREATE is granted to: %s', v_what),
      hint = format('revoke create on schema %I from public; or install into a schema of its own: set local search_path = whatsapp', v_schema);
  elsif v_what is not null then
    raise warning 'these roles may create objects in schema %, and so change what our functions do: %', quote_ident(v_schema), v_what
      using hint = format('Unless they are trusted with every account: revoke create on schema %I from %s', v_schema, v_what);
  end if;

  select substring(p.prosrc, '[0-9]+[.][0-9]+[.][0-9]+') into v_what
    from pg_proc p
   where p.pronamespace = to_regnamespace(quote_ident(v_schema)) and p.proname = 'auth_schema_version';
  if string_to_array(v_what, '.')::integer[] > string_to_array('0.1.0', '.')::integer[] then
    raise exception using errcode = 'WA006',
      message = format('Version %s is installed, and this is 0.1.0.', v_what),
      hint = 'Install the newer file.';
  end if;

  -- After a restore without owners everything is the restorer's: the functions are made anew, sql/020 takes the
  -- tables back. Whoever made only functions of our names, without our table of migrations, is somebody else.
  select c.relowner into v_owner
    from pg_class c
   where c.oid = to_regclass(format('%I.whatsapp_migrations', v_schema))
     and c.relowner is distinct from to_regrole('auth_state_owner')
     and pg_has_role(c.relowner, 'USAGE')
     and (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) = array['number', 'name', 'applied_at'];
  for v_what in
    select format('drop policy %I on %s', p.polname, c.oid::regclass)
      from pg_policy p
      join pg_class c on c.oid = p.polrelid
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and c.relowner = v_owner and starts_with(c.relname, 'whatsapp_')
    union all
    select format('drop trigger %I on %s', t.tgname, c.oid::regclass)
      from pg_trigger t
      join pg_class c on c.oid = t.tgrelid
      join pg_proc p on p.oid = t.tgfoid and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys')
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and c.relowner = v_owner and starts_with(c.relname, 'whatsapp_')
    union all
    select 'drop routine ' || string_agg(p.oid::regprocedure::text, ', ')
      from pg_proc p
     where p.pronamespace = to_regnamespace(quote_ident(v_schema)) and p.proowner = v_owner and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys')
    having count(*) > 0
  loop
    begin
      execute v_what;
    exception
      when dependent_objects_still_exist then
        get stacked diagnostics v_what = pg_exception_detail;
        raise exception using errcode = 'WA006',
          message = 'Something of yours depends on functions that were restored without their owner.',
          detail = v_what,
          hint = 'Drop it, then install again.';
    end;
  end loop;
  if v_owner is not null then
    raise notice 'restored without its owner: what belongs to % is auth_state_owner''s again, the functions are made anew',
      quote_ident(pg_get_userbyid(v_owner));
  end if;

  select string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text) into v_what
    from pg_proc p
   where p.pronamespace = to_regnamespace(quote_ident(v_schema))
     and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys')
     and p.proowner is distinct from to_regrole('auth_state_owner');
  if v_what is not null then
    raise exception using errcode = 'WA006',
      message = 'Functions of somebody else carry our names.',
      detail = v_what,
      hint = 'Drop or rename them, then install again. After a restore without owners: install as the login that restored.';
  end if;

  perform set_config('search_path', format('%I, pg_temp', v_schema), true),
          set_config('auth_state.installer_role', current_setting('role'), true),
          set_config('auth_state.borrowed_owner', '', true),
          set_config('auth_state.first_install', '', true);
end
$install$;

-- Roles belong to the cluster: another database's installer may be making the same ones right now.
-- Each step first looks whether it is needed, and a lost race is one more look.
do $install$
declare
  v_me constant name := current_user;
  v_super constant boolean := (select r.rolsuper from pg_roles r where r.rolname = current_user);
  v_set constant text := case when current_setting('server_version_num')::integer >= 160000
                              then 'SET' else 'MEMBER' end;
  v_ours constant text[] := array['auth_state_owner', 'auth_state_service', 'auth_state_tenant', 'auth_state_monitor', 'auth_state_proxy'];
  v_bad text;
  v_role text;
  v_context text;
  v_grant record;
begin
  -- What createrole_self_grant gave whoever installed before: memberships that their member granted itself. Where
  -- the owner is among them, that is where they come from; of the service it is wanted.
  for v_grant in
    select format('revoke %s from %s', m.roleid::regrole, m.member::regrole)
           || case when m.member <> to_regrole(quote_ident(v_me)) then format(' granted by %s', m.grantor::regrole) else '' end as statement,
           m.roleid::regrole as role, m.member::regrole as member
      from pg_auth_members m
      join pg_auth_members o on o.member = m.member and o.grantor = o.member and o.roleid = to_regrole('auth_state_owner')
     where v_set = 'SET' and m.grantor = m.member
       and m.roleid in (select r.oid from pg_roles r where r.rolname = any(v_ours) and r.rolname <> 'auth_state_service')
       and (v_super or m.member = to_regrole(quote_ident(v_me)))
  loop
    execute v_grant.statement;
    raise notice '% is revoked from %, who had granted it to itself', v_grant.role, v_grant.member;
  end loop;

  for v_attempt in 1..10 loop
    begin
      foreach v_role in array v_ours loop
        if not exists (select from pg_roles r where r.rolname = v_role) then
          execute format('create role %I nologin noinherit', v_role);
        end if;
      end loop;

      if not v_super then
        -- Only for this transaction: the end of the file takes it back.
        if not pg_has_role(v_me, 'auth_state_owner', v_set) then
          execute format('grant auth_state_owner to %I', v_me);
          perform set_config('auth_state.borrowed_owner', v_me, true);
        end if;
        -- Whoever owns the schema may also use, schedule and watch what is in it.
        if not pg_has_role(v_me, 'auth_state_service', 'USAGE') then
          execute format('grant auth_state_service to %I', v_me);
        end if;
      end if;
      -- For auth_bind_role, which makes tenants.
      if not pg_has_role('auth_state_owner', 'auth_state_tenant', 'MEMBER WITH ADMIN OPTION') then
        execute 'grant auth_state_tenant to auth_state_owner with '
                || case when v_set = 'SET' then 'admin true, inherit false, set false' else 'admin option' end;
      end if;
      exit;
    exception
      when duplicate_object or unique_violation or internal_error then
        if v_attempt = 10 then
          raise;
        end if;
        perform pg_sleep(0.05 * v_attempt);
      when insufficient_privilege then
        get stacked diagnostics v_context = pg_exception_context;
        select string_agg(r.rolname, ', ' order by r.rolname)
          into v_bad
          from pg_roles r
         where r.rolname = any(v_ours) and not pg_has_role(v_me, r.oid, 'MEMBER WITH ADMIN OPTION');
        raise exception using errcode = '42501',
          message = format('%I may not install pg-auth-state: it cannot make or use the roles auth_state_....', v_me),
          detail = 'The login needs CREATEROLE, and ADMIN OPTION on these roles where another database of the cluster made them already.'
                   || coalesce(' It is missing on: ' || v_bad || '.', '')
                   || format(' PostgreSQL says: %s (%s)', sqlerrm, split_part(v_context, chr(10), 1)),
          hint = format('As a superuser: alter role %I createrole;', v_me)
                 || coalesce(' grant ' || v_bad || format(' to %I with %s;', v_me, case when v_set = 'SET'
                             then 'admin true, inherit false, set false' else 'admin option' end), '');
    end;
  end loop;

  select string_agg(r.rolname, ', ') into v_bad
    from pg_roles r
   where r.rolname = any(v_ours)
     and (r.rolcanlogin or r.rolsuper or r.rolbypassrls);
  if v_bad is not null then
    raise exception using errcode = 'WA006',
      message = 'A role of ours has attributes it must not have.',
      detail = format('These can log in, are superuser or bypass row-level security: %s', v_bad),
      hint = 'alter role ... nologin nosuperuser nobypassrls';
  end if;

  begin
    execute format('grant usage, create on schema %I to auth_state_owner', current_schema());
    -- To the proxy, which calls nothing, so that the role stays while a database needs it.
    execute format('grant usage on schema %I to auth_state_service, auth_state_tenant, auth_state_monitor, auth_state_proxy',
                   current_schema());
  exception
    when insufficient_privilege then
      -- Its owner was refused by something else, an event trigger say. Of anybody else it is said below, as where
      -- PostgreSQL only warns.
      if (select pg_has_role(n.nspowner, 'USAGE') from pg_namespace n where n.nspname = current_schema()) then
        raise;
      end if;
  end;
  if not has_schema_privilege('auth_state_owner', current_schema(), 'CREATE') then
    raise exception using errcode = '42501',
      message = format('%I does not own schema %I.', v_me, current_schema()),
      detail = 'auth_state_owner needs CREATE in it, which only its owner can grant.',
      hint = 'Install as the owner of the schema, or into a schema of your own: set local search_path = whatsapp';
  end if;
end
$install$;

-- Supabase's roles, where they exist. Before PostgreSQL 16 a role that is NOINHERIT, as these are, has nothing
-- of what it is a member of: sql/900 then grants it the functions themselves.
do $install$
declare
  v_pair record;
begin
  for v_pair in
    select theirs.rolname as theirs, ours.rolname as ours
      from (values ('service_role', 'auth_state_service'), ('authenticated', 'auth_state_tenant'), ('authenticator', 'auth_state_proxy'))
           p (theirs, ours)
      join pg_roles theirs on theirs.rolname = p.theirs
      join pg_roles ours on ours.rolname = p.ours
     where not exists (select from pg_auth_members m where m.roleid = ours.oid and m.member = theirs.oid)
  loop
    begin
      execute format('grant %I to %I', v_pair.ours, v_pair.theirs)
              || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true' else '' end;
      raise notice '% is granted to %', v_pair.ours, v_pair.theirs;
    exception
      when insufficient_privilege then
        raise warning '% is not granted to %: % lacks ADMIN OPTION', v_pair.ours, v_pair.theirs, current_user
          using hint = format('As a superuser: grant %I to %I', v_pair.ours, v_pair.theirs);
    end;
  end loop;
  for v_pair in
    select r.rolname as theirs
      from pg_roles r
     where r.rolname in ('service_role', 'authenticated') and not has_schema_privilege(r.oid, current_schema(), 'USAGE')
  loop
    execute format('grant usage on schema %I to %I', current_schema(), v_pair.theirs);
  end loop;
end
$install$;

-- sql/020_takeover.sql
-- Tables made by hand become auth_state_owner's; the first migration then moves their rows over.
-- What would be lost silently aborts the install, what must not stay in force is named in a NOTICE.
do $install$
declare
  v_table record;
  v_what record;
  v_ours constant text[] := array['whatsapp_auth', 'whatsapp_keys', 'whatsapp_leases', 'whatsapp_key_ttl',
                                  'whatsapp_auth_history', 'whatsapp_audit', 'whatsapp_tenant_roles',
                                  'whatsapp_settings'];
begin
  for v_table in
    select c.oid, c.relname, c.relkind, c.relispartition, pg_get_userbyid(c.relowner) as owner, c.relacl
      from pg_class c
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relname = any(v_ours || array['whatsapp_migrations'])
       and pg_get_userbyid(c.relowner) <> 'auth_state_owner'
     order by c.relname
  loop
    if not pg_has_role(v_table.owner, 'USAGE') then
      raise exception using errcode = '42501',
        message = format('%I may not take %I over.', current_user, v_table.relname),
        detail = format('The table belongs to %I.', v_table.owner),
        hint = format('Install as %1$I, or as a superuser; or: alter table %2$I owner to %3$I', v_table.owner, v_table.relname, current_user);
    end if;
    if v_table.relname = 'whatsapp_migrations'
       and (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
             where a.attrelid = v_table.oid and a.attnum > 0 and not a.attisdropped)
           is distinct from array['number', 'name', 'applied_at'] then
      raise exception using errcode = 'WA006',
        message = 'whatsapp_migrations is in the way: it is not ours.',
        detail = 'This is where pg-auth-state notes which migrations ran.',
        hint = 'Drop or rename it, then install again.';
    end if;
    select format('%I.%I', v_table.relname, a.attname) as name into v_what
      from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = v_table.oid and a.attnum > 0 and not a.attisdropped
       and t.typnamespace <> 'pg_catalog'::regnamespace;
    if v_what.name is not null then
      raise exception using errcode = 'WA006',
        message = format('%I cannot be taken over: %s is of a type of somebody''s own.', v_table.relname, v_what.name),
        hint = 'Turn the column into text or jsonb, then install again.';
    end if;
    if v_table.relkind <> 'r' or v_table.relispartition
       or exists (select from pg_inherits i where v_table.oid in (i.inhrelid, i.inhparent)) then
      raise exception using errcode = 'WA006',
        message = format('%I is in the way: it is not a plain table.', v_table.relname),
        hint = 'Drop or rename it, then install again.';
    end if;

    for v_what in
      select format('trigger %I', t.tgname) as name
        from pg_trigger t
       where t.tgrelid = v_table.oid and not t.tgisinternal
      union all
      select format('%s %s', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'rule on' end,
                    r.ev_class::regclass)
        from pg_depend d
        join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
        join pg_class c on c.oid = r.ev_class
       where d.refclassid = 'pg_class'::regclass and d.refobjid = v_table.oid
       group by c.relkind, r.ev_class
      union all
      select format('foreign key %I of %s', f.conname, f.conrelid::regclass)
        from pg_constraint f
        join pg_class c on c.oid = f.conrelid
       where f.contype = 'f' and f.confrelid = v_table.oid
         and not (c.relnamespace = quote_ident(current_schema())::regnamespace and c.relname = any(v_ours))
      union all
      select format('publication %I', p.pubname)
        from pg_publication_rel r
        join pg_publication p on p.oid = r.prpubid
       where r.prrelid = v_table.oid
      limit 1
    loop
      raise exception using errcode = 'WA006',
        message = format('%I cannot be taken over: %s stands in the way.', v_table.relname, v_what.name),
        hint = 'Drop it, install again, and rebuild on the functions what it did.';
    end loop;

    for v_what in
      select format('policy %I', p.polname) as name
        from pg_policy p
       where p.polrelid = v_table.oid
      union all
      select format('foreign key %I', f.conname)
        from pg_constraint f
       where f.contype = 'f' and f.conrelid = v_table.oid
      union all
      select format('%s for %s', string_agg(a.privilege_type, ', ' order by a.privilege_type),
                    case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end)
        from aclexplode(v_table.relacl) a
       where pg_get_userbyid(a.grantee) <> v_table.owner
       group by a.grantee
      union all
      select format('%s on column %I for %s', a.privilege_type, c.attname,
                    case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end)
        from pg_attribute c cross join aclexplode(c.attacl) a
       where c.attrelid = v_table.oid
    loop
      raise notice '%: % dropped, the functions are the only door', v_table.relname, v_what.name;
    end loop;

    for v_what in select p.polname as name from pg_policy p where p.polrelid = v_table.oid loop
      execute format('drop policy %I on %I', v_what.name, v_table.relname);
    end loop;
    execute format('alter table %I disable row level security, no force row level security', v_table.relname);
    execute format('alter table %I owner to auth_state_owner', v_table.relname);
  end loop;
end
$install$;

set local role auth_state_owner;

-- Nothing of ours is for everybody, not even what a later version adds.
alter default privileges for role auth_state_owner revoke execute on functions from public;

do $install$
begin
  if to_regclass('whatsapp_migrations') is null then
    create table whatsapp_migrations (
      number integer,
      name text not null,
      applied_at timestamptz not null default now(),
      constraint whatsapp_migrations_pkey primary key (number)
    );
    perform set_config('auth_state.first_install', 'yes', true);
  end if;
end
$install$;

-- sql/migrations/001_tables.sql
do $install$
begin
if exists (select from whatsapp_migrations m where m.number = 1) then
  return;
end if;
execute $migration$
-- Compatible with: nothing before it. Tables made by hand are renamed away, ours are made, the rows moved.
do $takeover$
declare
  v_name text;
begin
  for v_name in
    select c.relname
      from pg_class c
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relname in ('whatsapp_auth', 'whatsapp_keys', 'whatsapp_leases', 'whatsapp_key_ttl')
  loop
    execute format('alter table %I rename to %I', v_name, '_old_' || v_name);
  end loop;
  for v_name in
    select i.indexrelid::regclass::text
      from pg_index i
      join pg_class c on c.oid = i.indrelid
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relname in ('_old_whatsapp_auth', '_old_whatsapp_keys', '_old_whatsapp_leases', '_old_whatsapp_key_ttl')
  loop
    execute format('alter index %s rename to %I', v_name, '_old_' || to_regclass(v_name)::oid);
  end loop;
  -- PostgreSQL 18 names these too, and would number ours.
  for v_name in
    select format('alter table %s rename constraint %I to %I', n.conrelid::regclass, n.conname, '_old_' || n.oid)
      from pg_constraint n
      join pg_class c on c.oid = n.conrelid
     where n.contype = 'n' and c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relname in ('_old_whatsapp_auth', '_old_whatsapp_keys', '_old_whatsapp_leases', '_old_whatsapp_key_ttl')
  loop
    execute v_name;
  end loop;
end
$takeover$;

-- Key columns use collation "C": byte order makes prefixes index ranges, and an upgrade of the
-- operating system's collations cannot corrupt the index (PostgreSQL manual, 24.2.2.3).
create table whatsapp_auth (
  company_id text collate "C" not null,
  creds jsonb not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint whatsapp_auth_pkey primary key (company_id)
);

create table whatsapp_keys (
  company_id text collate "C" not null,
  key_type text collate "C" not null,
  key_id text collate "C" not null,
  value jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz,
  constraint whatsapp_keys_pkey primary key (company_id, key_type, key_id)
);

create index whatsapp_keys_expires_at_idx on whatsapp_keys (expires_at) where expires_at is not null;

create table whatsapp_leases (
  company_id text collate "C" not null,
  holder text not null,
  token bigint not null,
  acquired_at timestamptz not null,
  expires_at timestamptz not null,
  constraint whatsapp_leases_pkey primary key (company_id)
);

create table whatsapp_key_ttl (
  key_type text collate "C" not null,
  ttl interval,
  changed_at timestamptz,
  constraint whatsapp_key_ttl_pkey primary key (key_type)
);

-- As bench/storage.py measured, see docs/performance.md: room on the page for HOT updates of sessions, and
-- lz4 where the server was built with it.
alter table whatsapp_keys set (fillfactor = 80);
do $compression$
begin
  alter table whatsapp_auth alter column creds set compression lz4;
  alter table whatsapp_keys alter column value set compression lz4;
exception
  when feature_not_supported then
    null;
end
$compression$;

insert into whatsapp_key_ttl (key_type, ttl)
values ('lid-mapping', '7 days'), ('lid-mapping-reverse', '7 days');

-- Bytes as programs before Baileys 7 and plain JSON.stringify wrote them, in the form that every version reads. Only
-- rows that are taken over need it: the clients send the current form.
create function _current_form (p_value jsonb)
returns jsonb
language plpgsql
as $form$
declare
  v_data jsonb;
  v_bytes text;
begin
  if jsonb_typeof(p_value) = 'array' then
    return (
      select coalesce(jsonb_agg(_current_form(e.value) order by e.position), '[]')
        from jsonb_array_elements(p_value) with ordinality e (value, position));
  elsif jsonb_typeof(p_value) is distinct from 'object' then
    return p_value;
  end if;
  if p_value -> 'type' = '"Buffer"' or p_value -> 'buffer' = 'true' then
    v_data := coalesce(nullif(nullif(p_value -> 'data', 'null'), '""'), nullif(p_value -> 'value', 'null'), '""');
  elsif p_value ? '0' then
    v_data := (
      select jsonb_agg(p_value -> n::text order by n)
        from generate_series(0, (select count(*) from jsonb_object_keys(p_value))::integer - 1) n);
  end if;
  if jsonb_typeof(v_data) = 'string' then
    return jsonb_build_object('type', 'Buffer', 'data', v_data);
  elsif jsonb_typeof(v_data) = 'array' then
    select string_agg(case when jsonb_typeof(e.value) = 'number' and e.value #>> '{}' ~ '^[0-9]{1,3}$' and (e.value #>> '{}')::integer < 256
                           then lpad(to_hex((e.value #>> '{}')::integer), 2, '0') else 'no byte' end, '' order by e.position)
      into v_bytes
      from jsonb_array_elements(v_data) with ordinality e (value, position);
    if v_bytes ~ '^[0-9a-f]*$' or v_data = '[]' then
      return jsonb_build_object('type', 'Buffer', 'data',
                                replace(encode(decode(coalesce(v_bytes, ''), 'hex'), 'base64'), chr(10), ''));
    end if;
  end if;
  return (
    select coalesce(jsonb_object_agg(e.key, _current_form(e.value)), '{}')
      from jsonb_each(p_value) e);
end
$form$;

-- Whether creds are a JWE in compact form: its header is a JSON object.
create function _is_sealed (p_text text)
returns boolean
language plpgsql
as $sealed$
declare
  v_header constant text := translate(
    substring(p_text from '^(eyJ[A-Za-z0-9_-]*)[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+$'), '-_', '+/');
begin
  return coalesce(
    jsonb_typeof(convert_from(decode(rpad(v_header, (length(v_header) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb) = 'object', false);
exception
  when data_exception or program_limit_exceeded then
    return false;
end
$sealed$;

do $takeover$
declare
  v_now constant timestamptz := clock_timestamp();
  v_version constant bigint := floor(extract(epoch from v_now) * 1000000::numeric)::bigint;
  v_table record;
  v_select text;
  v_bad bigint;
  v_extra text;
  v_name text;
  v_detail text;
begin
  for v_table in
    select t.name, t.must, t.columns, t.bad, t.absent
      from (values
        ('whatsapp_auth', array['company_id', 'creds'],
         array['company_id text', 'creds jsonb', 'version bigint', 'created_at timestamptz', 'updated_at timestamptz'],
         $sql$o.company_id is null or octet_length(o.company_id) not between 1 and 256
              or jsonb_typeof(o.creds) not in ('object', 'string', 'null')
              or jsonb_typeof(o.creds) = 'object' and (coalesce(o.creds -> 'noiseKey', 'null') = 'null'
                                                       or coalesce(o.creds -> 'signedIdentityKey', 'null') = 'null')
              or jsonb_typeof(o.creds) = 'string' and not _is_sealed(o.creds #>> '{}')$sql$,
         $sql$coalesce(o.creds, 'null') = 'null'$sql$),
        ('whatsapp_keys', array['company_id', 'key_type', 'key_id', 'value'],
         array['company_id text', 'key_type text', 'key_id text', 'value jsonb', 'created_at timestamptz',
               'updated_at timestamptz', 'expires_at timestamptz'],
         $sql$o.company_id is null or octet_length(o.company_id) not between 1 and 256
              or o.key_type is null or octet_length(o.key_type) not between 1 and 128
              or o.key_id is null or octet_length(o.key_id) not between 1 and 1024$sql$,
         $sql$coalesce(o.value, 'null') = 'null'$sql$),
        ('whatsapp_leases', array['company_id', 'holder', 'token', 'expires_at'],
         array['company_id text', 'holder text', 'token bigint', 'acquired_at timestamptz', 'expires_at timestamptz'],
         $sql$o.company_id is null or octet_length(o.company_id) not between 1 and 256
              or o.holder is null or octet_length(o.holder) not between 1 and 256
              or o.token is null or o.token > $1
              or o.expires_at is null or o.expires_at > $2 + interval '1000 years'$sql$, 'false'),
        ('whatsapp_key_ttl', array['key_type', 'ttl'], array['key_type text', 'ttl interval'],
         $sql$o.key_type is null or octet_length(o.key_type) not between 1 and 128
              or o.ttl <= '0' or o.ttl > '1000 years'
              or o.key_type in ('creds', 'app-state-sync-key', 'pre-key', 'session', 'sender-key') and o.ttl is not null$sql$, 'false')
      ) t (name, must, columns, bad, absent)
     where to_regclass('_old_' || t.name) is not null
  loop
    v_name := v_table.name;
    select string_agg(a.attname, ', ') into v_extra
      from pg_attribute a
     where a.attrelid = to_regclass('_old_' || v_table.name) and a.attnum > 0 and not a.attisdropped
       and a.attname <> all(select split_part(c, ' ', 1) from unnest(v_table.columns) c);
    if v_extra is not null then
      raise exception using errcode = 'WA006',
        message = format('%I cannot be taken over: it has columns that would be lost.', v_table.name),
        detail = v_extra,
        hint = 'Move them to a table of your own, then install again.';
    end if;
    select string_agg(m, ', ') into v_extra
      from unnest(v_table.must) m
     where not exists (select from pg_attribute a
                        where a.attrelid = to_regclass('_old_' || v_table.name) and a.attname = m and not a.attisdropped);
    if v_extra is not null then
      raise exception using errcode = 'WA006',
        message = format('%I cannot be taken over: columns are missing.', v_table.name),
        detail = v_extra,
        hint = 'Rename the table, then install again.';
    end if;

    select string_agg(case when a.attname is null then format('null::%s as %I', split_part(c, ' ', 2), split_part(c, ' ', 1))
                           else format('%I::%s', split_part(c, ' ', 1), split_part(c, ' ', 2)) end, ', ')
      into v_select
      from unnest(v_table.columns) c
      left join pg_attribute a on a.attrelid = to_regclass('_old_' || v_table.name)
                              and a.attname = split_part(c, ' ', 1) and not a.attisdropped;
    v_select := format('(select %s from %I) o', v_select, '_old_' || v_table.name);

    execute format('select count(*) from %s where $1 > 0 and $2 is not null and (%s)', v_select, v_table.bad)
       into v_bad using v_version, v_now;
    if v_bad > 0 then
      raise exception using errcode = 'WA006',
        message = format('%I cannot be taken over: %s of its rows could not be stored.', v_table.name, v_bad),
        detail = 'An id is null, empty or too long (256 bytes of company, 128 of type, 1024 of id), creds are neither an object '
                 'with noiseKey and signedIdentityKey nor a JWE, a lease is beyond reason, or a ttl is for a type that must '
                 'not expire.',
        hint = 'Mend or delete them, then install again. Creds that were encoded twice are mended by: update whatsapp_auth '
               'set creds = (creds #>> ''{}'')::jsonb where jsonb_typeof(creds) = ''string''';
    end if;
    execute format('select count(*) from %s where %s', v_select, v_table.absent) into v_bad;
    if v_bad > 0 then
      raise notice '%: % rows hold null, which means absent, and are left out', v_table.name, v_bad;
    end if;

    execute format(
      case v_table.name
        when 'whatsapp_auth' then
          $sql$insert into whatsapp_auth
               select o.company_id,
                      case when o.creds::text ~ '"data": [[]|"buffer": true|"0": [0-9]' then _current_form(o.creds) else o.creds end,
                      $1, t.created_at, t.updated_at
                 from %s
                cross join lateral (
                  select least(greatest(coalesce(o.created_at, o.updated_at, $2), 'epoch'), $2) as created_at,
                         least(greatest(coalesce(o.updated_at, o.created_at, $2), 'epoch'), $2) as updated_at
                ) t
                where not (%s)$sql$
        when 'whatsapp_keys' then
          $sql$insert into whatsapp_keys
               select o.company_id, o.key_type, o.key_id,
                      case when o.value::text ~ '"data": [[]|"buffer": true|"0": [0-9]' then _current_form(o.value) else o.value end,
                      t.created_at, t.updated_at, null
                 from %s
                cross join lateral (
                  select least(greatest(coalesce(o.created_at, o.updated_at, $2), 'epoch'), $2) as created_at,
                         least(greatest(coalesce(o.updated_at, o.created_at, $2), 'epoch'), $2) as updated_at
                ) t
                where $1 > 0 and not (%s)$sql$
        when 'whatsapp_leases' then
          $sql$insert into whatsapp_leases
               select o.company_id, o.holder, greatest(o.token, $1), coalesce(o.acquired_at, $2), o.expires_at
                 from %s where not (%s)$sql$
        else
          $sql$insert into whatsapp_key_ttl (key_type, ttl)
               select o.key_type, o.ttl from %s where $1 > 0 and $2 is not null and not (%s)
               on conflict (key_type) do update set ttl = excluded.ttl$sql$
      end, v_select, v_table.absent)
      using v_version, v_now;
    raise notice '%: taken over', v_table.name;
  end loop;

  -- Now that all ttls are known.
  update whatsapp_keys k
     set expires_at = k.updated_at + t.ttl
    from whatsapp_key_ttl t
   where t.key_type = k.key_type and k.expires_at is distinct from k.updated_at + t.ttl;

  select string_agg(format('%I', c.relname), ', ') into v_select
    from pg_class c
   where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind = 'r' and starts_with(c.relname, '_old_whatsapp_');
  if v_select is not null then
    execute 'drop table ' || v_select;
  end if;
exception
  -- PostgreSQL would quote the value.
  when data_exception or cannot_coerce or unique_violation or statement_too_complex then
    raise exception using errcode = 'WA006',
      message = format('%I cannot be taken over: a value in it is not what its column is for.', v_name),
      detail = 'Text that is no JSON, a column of another type, a number or time out of range, nesting too deep, or two rows of one key.',
      hint = 'Mend or delete it, then install again.';
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'The tables cannot be taken over: something depends on them.',
      detail = v_detail,
      hint = 'Drop it, install again, and rebuild on the functions what it did.';
end
$takeover$;

drop function _current_form (jsonb), _is_sealed (text);
$migration$;
insert into whatsapp_migrations (number, name) values (1, '001_tables');
end
$install$;

-- sql/migrations/002_isolation_history_audit.sql
do $install$
begin
if exists (select from whatsapp_migrations m where m.number = 2) then
  return;
end if;
execute $migration$
-- Compatible with: clients and functions of 001. Adds tables, and a column with a default.
do $taken$
declare
  v_name text;
begin
  select string_agg(c.relname, ', ' order by c.relname)
    into v_name
    from pg_class c
   where c.relnamespace = quote_ident(current_schema())::regnamespace
     and c.relname in ('whatsapp_auth_history', 'whatsapp_audit', 'whatsapp_tenant_roles');
  if v_name is not null then
    raise exception using errcode = 'WA006',
      message = format('These are in the way, and are not ours: %s.', v_name),
      detail = 'History, audit log and bindings are written by the functions alone: what somebody else wrote is not believed.',
      hint = 'Drop or rename them, then install again.';
  end if;
end
$taken$;

create table whatsapp_auth_history (
  company_id text collate "C" not null,
  version bigint not null,
  creds jsonb not null,
  saved_at timestamptz not null,
  replaced_at timestamptz not null,
  ends_identity boolean not null,
  constraint whatsapp_auth_history_pkey primary key (company_id, version)
);

create index whatsapp_auth_history_replaced_at_idx on whatsapp_auth_history (replaced_at) where ends_identity;

create table whatsapp_audit (
  company_id text collate "C" not null,
  at timestamptz not null,
  audit_id bigint generated always as identity,
  action text not null,
  login name not null,
  role name not null,
  application_name text,
  holder text,
  rows bigint,
  details jsonb,
  constraint whatsapp_audit_pkey primary key (company_id, at, audit_id)
);

create index whatsapp_audit_at_idx on whatsapp_audit (at);

create table whatsapp_tenant_roles (
  role_name name not null,
  company_id text collate "C" not null,
  constraint whatsapp_tenant_roles_pkey primary key (role_name)
);

do $compression$
begin
  alter table whatsapp_auth_history alter column creds set compression lz4;
exception
  when feature_not_supported then
    null;
end
$compression$;

-- A restore of an old dump writes into another table: the leases it brings are none, or a token that was
-- stolen after the dump would come back.
alter table whatsapp_leases add column kept_in oid;
update whatsapp_leases l
   set kept_in = l.tableoid
 where true;
alter table whatsapp_leases
  alter column kept_in set default 'whatsapp_leases'::regclass::oid,
  alter column kept_in set not null;
$migration$;
insert into whatsapp_migrations (number, name) values (2, '002_isolation_history_audit');
end
$install$;

-- sql/migrations/003_server_history_settings.sql
do $install$
begin
if exists (select from whatsapp_migrations m where m.number = 3) then
  return;
end if;
execute $migration$
-- Compatible with: clients of 001 and 002; the functions of 002 cannot be put back over it.
do $taken$
begin
  if to_regclass(format('%I.whatsapp_settings', current_schema())) is not null then
    raise exception using errcode = 'WA006',
      message = 'This is in the way, and is not ours: whatsapp_settings.',
      detail = 'Settings are written by auth_configure alone.',
      hint = 'Drop or rename it, then install again.';
  end if;
end
$taken$;

create table whatsapp_settings (
  name text collate "C" not null,
  value text not null,
  constraint whatsapp_settings_pkey primary key (name)
);

alter table whatsapp_audit add column on_behalf_of text;

-- What tells a lease of this server from one that a dump, a copy or a failover brought: _server_history, _is_live.
alter table whatsapp_leases
  add column given_in text,
  add column written_by xid,
  add column retake_after timestamptz;

do $leases$
declare
  v_timeline text;
  v_system text;
begin
  begin
    v_timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  exception
    when others then
      v_timeline := 'unknown';
  end;
  begin
    select c.system_identifier::text into v_system from pg_control_system() c;
  exception
    when others then
      v_system := 'unknown';
  end;
  -- Those that live go on.
  update whatsapp_leases l
     set given_in = concat_ws(' ', v_timeline, v_system, current_setting('port'), split_part(pg_relation_filepath('pg_class'), '/', -2))
   where l.kept_in = l.tableoid;
  update whatsapp_leases l
     set written_by = l.xmin
   where l.given_in is not null;
end
$leases$;

alter table whatsapp_leases drop column kept_in;

do $settings$
declare
  v_detail text;
begin
  -- It answers a column more, and a function cannot be replaced by one that answers something else.
  if to_regprocedure('auth_list_audit(text, timestamptz, integer)') is not null then
    drop function auth_list_audit (text, timestamptz, integer);
  end if;
  -- sql/920 asks for it.
  perform set_config('auth_state.moves_settings', 'yes', true);
exception
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'auth_list_audit answers a column more now, and something of yours uses it as it was.',
      detail = v_detail,
      hint = 'Drop it, install again, then make it anew.';
end
$settings$;
$migration$;
insert into whatsapp_migrations (number, name) values (3, '003_server_history_settings');
end
$install$;

-- functions/_known_settings.sql
-- The settings of the package: their defaults and bounds. A span is an interval, a bare number of it milliseconds.
create or replace function _known_settings ()
returns table (name text, kind text, default_value text, lowest text, highest text)
language sql
immutable
parallel safe
begin atomic
  select
    s.name,
    s.kind,
    s.default_value,
    s.lowest,
    s.highest
    from (values
      ('lock_wait', 'span', '5s', '1ms', '10 minutes'),
      ('history_versions', 'number', '5', '1', '999'),
      ('audit_retention', 'span', '90 days', '7 days', '1000 years'),
      ('keep_deleted', 'span', '7 days', '0', '1000 years'),
      ('keep_snapshots', 'span', '90 days', '1 day', '1000 years'),
      ('starts_per_call', 'number', '10', '1', '10000')
    ) as s (name, kind, default_value, lowest, highest);
end;

-- functions/_system_identifier.sql
-- Which cluster this is: initdb gave it a number, and nothing but a physical copy shares it. Without it a dump that
-- another cluster brings could by chance have the transaction that restores it. It stays as it is as long as a server
-- runs: immutable, so that a plan keeps it, since asking for it reads a file.
create or replace function _system_identifier ()
returns text
language sql
immutable
parallel safe
return (select c.system_identifier::text from pg_control_system() as c);

-- functions/_timeline.sql
-- The timeline of the write-ahead log: a new one begins with every promotion and every point-in-time recovery
-- (PostgreSQL manual, 26.3.6). Where a service has no such functions sql/920 replaces this one.
create or replace function _timeline ()
returns text
language sql
volatile
parallel restricted
return left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

-- functions/_server_history.sql
-- Which history of writes this is: the timeline, the cluster, the port, which a copy beside the original cannot share,
-- and the database, by its number, which a copy by `create database ... template` does not get with the name.
create or replace function _server_history ()
returns text
language sql
volatile
parallel restricted
return _timeline() || ' ' || _system_identifier() || ' ' || current_setting('port') || ' '
       || split_part(pg_relation_filepath('pg_class'), '/', -2);

-- functions/_is_live.sql
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

-- functions/_is_of_this_database.sql
-- Whether a lease was given in this database, before a failover or after: not in a copy of it, nor in another cluster.
create or replace function _is_of_this_database (p_given_in text)
returns boolean
language sql
volatile
parallel restricted
return split_part(p_given_in, ' ', 2) = split_part(_server_history(), ' ', 2)
       and split_part(p_given_in, ' ', 4) = split_part(_server_history(), ' ', 4);

-- functions/_apply_ttl.sql
create or replace function _apply_ttl (p_key_type text, p_ttl interval)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set lock_timeout = '100ms'
as $func$
declare
  v_changed bigint;
begin
  -- SKIP LOCKED waits all the same where a row's writer ends at that very moment, and the next one has changed the row
  -- (heap_lock_updated_tuple in PostgreSQL's heapam.c). That writer may be waiting for a row of ours: we give way.
  for v_attempt in 1 .. 50 loop
    begin
      update whatsapp_keys k
         set expires_at = k.updated_at + p_ttl
        from (
          select f.company_id, f.key_id
            from whatsapp_keys f
           where f.key_type = p_key_type and f.expires_at is distinct from f.updated_at + p_ttl
             for no key update skip locked
        ) free
       where k.company_id = free.company_id and k.key_type = p_key_type and k.key_id = free.key_id;
      get diagnostics v_changed = row_count;
      exit;
    exception
      when lock_not_available then
        if v_attempt = 50 then
          raise;
        end if;
    end;
  end loop;
  return v_changed;
end
$func$;

-- functions/_assert_batch.sql
-- {type: {id: value}}, nothing else; the first fault is named by its path, never by its value.
create or replace function _assert_batch (p_data jsonb, p_path text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_path text := p_path;
  v_fault text;
begin
  if p_data is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_data) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_data);
  else
    select p_path || f.path, f.fault
      into v_path, v_fault
      from jsonb_each(p_data) t
     cross join lateral (
       select format('[%s]', to_json(left(t.key, 100))) as path,
              case when octet_length(t.key) not between 1 and 128
                   then format('is a key type of %s bytes', octet_length(t.key))
                   else 'is a JSON ' || jsonb_typeof(t.value) end as fault
        where octet_length(t.key) not between 1 and 128 or jsonb_typeof(t.value) <> 'object'
       union all
       select format('[%s][%s]', to_json(left(t.key, 100)), to_json(left(i.id, 100))),
              format('is a key id of %s bytes', octet_length(i.id))
         from jsonb_object_keys(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) i (id)
        where octet_length(i.id) not between 1 and 1024
     ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'A batch is a JSON object of key types, each an object of key ids and values.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"session": {"1.0": {...}}, "pre-key": {"7": null}}; types have 1 to 128 bytes, ids 1 to 1024.';
  end if;
end
$func$;

-- functions/_assert_company.sql
-- Refused alike whether the company exists or not: who may not see it learns nothing.
create or replace function _assert_company (p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  perform _assert_session();
  if octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company_id(p_company_id);
  end if;
  if _confined_to() <> p_company_id or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not act for company %s.', _caller(), to_json(p_company_id)),
      hint = 'A trusted back end is granted auth_state_service. Anybody else acts for one company: the one its login is '
             'bound to by auth_bind_role, the company_id of its token, or auth_state.company_id.';
  end if;
  perform _assert_utf8();
  perform _assert_policies();
end
$func$;

-- functions/_assert_company_id.sql
create or replace function _assert_company_id (p_company_id text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_company_id is null or octet_length(p_company_id) not between 1 and 256 then
    raise exception using errcode = 'WA001',
      message = 'A company id is a text of 1 to 256 bytes.',
      detail = format('p_company_id is %s.', coalesce(octet_length(p_company_id) || ' bytes', 'null')),
      hint = 'Pass the id that this account is kept under.';
  end if;
end
$func$;

-- functions/_assert_creds.sql
create or replace function _assert_creds (
  p_creds jsonb,
  p_path text,
  p_hint text default 'Pass creds.json whole, as an object. Logging out is auth_delete_company.'
)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_fault constant text := _creds_fault(p_creds);
begin
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'Creds are a JSON object with noiseKey and signedIdentityKey, or a JWE when a client encrypted them.',
      detail = p_path || v_fault || '.',
      hint = p_hint;
  end if;
end
$func$;

-- functions/_assert_identity.sql
-- Paired creds are the account: losing their keys is losing it. A null p_new stands for no creds at all. Of
-- encrypted ones, old or new, the fingerprint in the header is all that can be compared.
create or replace function _assert_identity (p_company_id text, p_old jsonb, p_new jsonb, p_allow_new_identity boolean)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if p_allow_new_identity is not true
     and _is_paired(p_old)
     and (case
            when jsonb_typeof(p_old) = 'object' and jsonb_typeof(p_new) = 'object' then _is_new_identity(p_old, p_new)
            else (_identity(p_old) = _identity(p_new)) is not true
          end) then
    raise exception using errcode = 'WA005',
      message = format('Company %s is paired, and these creds are another identity.', to_json(p_company_id)),
      detail = 'creds.noiseKey or creds.signedIdentityKey, or the identity of encrypted ones, differs or is missing. Nothing was written.',
      hint = 'Read the creds with auth_get_creds and change those. A new identity is auth_delete_company, then auth_init_creds; or p_allow_new_identity.';
  end if;
end
$func$;

-- functions/_assert_key_ids.sql
-- For reads: the array is good when this answers; called only when the read has seen a bad element.
create or replace function _assert_key_ids (p_keys jsonb)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_path text := 'p_keys';
  v_fault text;
begin
  if p_keys is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_keys) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_keys);
  else
    select 'p_keys' || f.path, f.fault
      into v_path, v_fault
      from jsonb_each(p_keys) t
     cross join lateral (
       select format('[%s]', to_json(left(t.key, 100))) as path,
              case when octet_length(t.key) not between 1 and 128
                   then format('is a key type of %s bytes', octet_length(t.key))
                   else 'is a JSON ' || jsonb_typeof(t.value) end as fault
        where octet_length(t.key) not between 1 and 128 or jsonb_typeof(t.value) <> 'array'
       union all
       select format('[%s][%s]', to_json(left(t.key, 100)), i.position - 1),
              case when jsonb_typeof(i.id) = 'string' then format('is a key id of %s bytes', octet_length(i.id #>> '{}'))
                   else 'is a JSON ' || jsonb_typeof(i.id) end
         from jsonb_array_elements(case when jsonb_typeof(t.value) = 'array' then t.value else '[]' end)
              with ordinality i (id, position)
        where jsonb_typeof(i.id) <> 'string' or octet_length(i.id #>> '{}') not between 1 and 1024
     ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'Keys are asked for by a JSON object of key types, each an array of key ids.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"session": ["1.0", "2.0"]}; types have 1 to 128 bytes, ids 1 to 1024.';
  end if;
end
$func$;

-- functions/_assert_key_type.sql
create or replace function _assert_key_type (p_key_type text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_key_type is null or octet_length(p_key_type) not between 1 and 128 then
    raise exception using errcode = 'WA001',
      message = 'A key type is a text of 1 to 128 bytes.',
      detail = format('p_key_type is %s.', coalesce(octet_length(p_key_type) || ' bytes', 'null')),
      hint = 'Like session, pre-key or sender-key.';
  end if;
end
$func$;

-- functions/_assert_policies.sql
-- Before "there is none" is believed: without our policies forced row-level security hides every row. Everybody
-- may read whatsapp_migrations by its policy, and it is never empty.
create or replace function _assert_policies ()
returns void
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  if not exists (select from whatsapp_migrations) then
    raise exception using errcode = 'WA006',
      message = 'The policies of pg-auth-state are missing, and its tables show no row.',
      detail = 'A restore without policies (pg_restore --no-policies) leaves the tables closed.',
      hint = 'Install again over it. The installer makes the policies anew and keeps the rows.';
  end if;
end
$func$;

-- functions/_assert_positive.sql
create or replace function _assert_positive (p_number integer, p_path text)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_number is null or p_number < 1 then
    raise exception using errcode = 'WA001',
      message = 'A limit or batch size is one or more.',
      detail = format('%s is %s.', p_path, coalesce(p_number::text, 'null')),
      hint = 'Leave it out for the default.';
  end if;
end
$func$;

-- functions/_assert_service.sql
-- For what concerns all companies: a service that is confined to one may not either.
create or replace function _assert_service ()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  perform _assert_session();
  if _confined_to() is not null or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not act for all companies.', _caller()),
      hint = format('A trusted back end that is confined to no company is let in with: grant auth_state_service to %I', _caller());
  end if;
  perform _assert_policies();
end
$func$;

-- functions/_assert_session.sql
-- What holds only while everything is as installed is checked by every call, before it reads a row. A function of
-- another owner sees no row and would say "no creds". _confined_to says why the first statement is there.
create or replace function _assert_session ()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  unlisten pg_auth_state_nothing;
  if current_user <> 'auth_state_owner' then
    raise exception using errcode = 'WA006',
      message = format('The functions of pg-auth-state belong to %I, and would see no account.', current_user),
      detail = 'Their owner is auth_state_owner. A restore without owners (pg_restore --no-owner) makes them somebody else''s.',
      hint = 'restored without owners: install again over it, as the login that restored or as a superuser. '
             'The installer gives everything back to auth_state_owner and keeps the rows.';
  elsif current_setting('row_security') <> 'on' then
    raise exception using errcode = 'WA006',
      message = 'row_security is off in this session, and PostgreSQL would refuse to read the tables of pg-auth-state.',
      detail = 'The functions read through policies of row-level security; the tables stay under FORCE ROW LEVEL SECURITY.',
      hint = 'set row_security = on, or end what sets it: alter role ... reset row_security, alter database ... reset row_security';
  end if;
end
$func$;

-- functions/_assert_setting.sql
-- That there is a setting of this name, and that this may be its value; null, the default, may always be.
create or replace function _assert_setting (p_name text, p_value text, p_path text)
returns void
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_known record;
  v_is_good boolean;
begin
  select * into v_known from _known_settings() k where k.name = p_name;
  if v_known.name is null then
    raise exception using errcode = 'WA001',
      message = 'There is no such setting.',
      detail = format('p_name is %s.', coalesce(to_json(left(p_name, 100))::text, 'null')),
      hint = 'One of: ' || (select string_agg(k.name, ', ') from _known_settings() k);
  end if;
  if v_known.kind = 'number' then
    v_is_good := p_value ~ '^[0-9]{1,9}$';
    v_is_good := v_is_good and p_value::integer between v_known.lowest::integer and v_known.highest::integer;
  else
    v_is_good := coalesce(_span(p_value) between _span(v_known.lowest) and _span(v_known.highest), false);
  end if;
  if p_value is not null and not v_is_good then
    raise exception using errcode = 'WA001',
      message = format('%s is a %s from %s to %s.', p_name, case v_known.kind when 'span' then 'time' else 'number' end,
                       v_known.lowest, v_known.highest),
      detail = format('%s is %s.', p_path, to_json(left(p_value, 100))),
      hint = format('Like %L; null for the default.', v_known.default_value);
  end if;
end
$func$;

-- functions/_assert_state.sql
-- The shape auth_export gives, nothing else; the first fault is named by its path, never by its value.
create or replace function _assert_state (p_state jsonb)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_path text := 'p_state';
  v_fault text;
  v_are_times boolean := false;
begin
  -- Each time is what _utc gives, as all are but a few: then they need no look one by one, which is slower.
  begin
    v_are_times := not exists (
      select
        from jsonb_each(p_state -> 'times') t
       cross join lateral jsonb_each(t.value) e
       where (jsonb_typeof(e.value) = 'array'
              and e.value ->> 0 = to_char((e.value ->> 0)::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) is not true);
  exception
    when data_exception then
      null;
  end;
  if p_state is null then
    v_fault := 'is null';
  elsif jsonb_typeof(p_state) <> 'object' then
    v_fault := 'is a JSON ' || jsonb_typeof(p_state);
  else
    select 'p_state' || f.path, f.fault
      into v_path, v_fault
      from (
        select format('[%s]', to_json(left(s.key, 100))) as path, 'is unknown' as fault
          from jsonb_object_keys(p_state) s (key)
         where s.key not in ('format', 'creds', 'creds_updated_at', 'keys', 'times')
        union all
        select '["format"]', 'is not 1'
         where p_state -> 'format' is distinct from '1'
        union all
        select '["creds_updated_at"]', 'is not a UTC time'
         where coalesce(p_state -> 'creds_updated_at', 'null') <> 'null'
           and (jsonb_typeof(p_state -> 'creds_updated_at') <> 'string' or _from_utc(p_state ->> 'creds_updated_at') is null)
        union all
        select '["keys"]', 'is missing'
         where p_state -> 'keys' is null
        union all
        select format('["keys"][%s][%s]', to_json(left(t.key, 100)), to_json(left(e.key, 100))), 'is null, and a missing key is left out'
          from jsonb_each(case when jsonb_typeof(p_state -> 'keys') = 'object' then p_state -> 'keys' else '{}' end) t
         cross join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) e
         where jsonb_path_exists(p_state, '$.keys.*.* ? (@ == null)') and e.value = 'null'
        union all
        select '["times"]', 'is a JSON ' || jsonb_typeof(p_state -> 'times')
         where jsonb_typeof(p_state -> 'times') <> 'object'
        union all
        select format('["times"][%s]', to_json(left(t.key, 100))), 'is a JSON ' || jsonb_typeof(t.value)
          from jsonb_each(case when jsonb_typeof(p_state -> 'times') = 'object' then p_state -> 'times' else '{}' end) t
         where jsonb_typeof(t.value) <> 'object'
        union all
        select format('["times"][%s][%s]', to_json(left(t.key, 100)), to_json(left(e.key, 100))),
               'is not an array that begins with a UTC time'
          from jsonb_each(case when jsonb_typeof(p_state -> 'times') = 'object' then p_state -> 'times' else '{}' end) t
         cross join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) e
         where not v_are_times
           and (jsonb_typeof(e.value) <> 'array'
                or jsonb_typeof(e.value -> 0) is distinct from 'string'
                or _from_utc(e.value ->> 0) is null)
      ) f
     limit 1;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'WA001',
      message = 'A state is what auth_export gives.',
      detail = format('%s %s.', v_path, v_fault),
      hint = 'Like {"format": 1, "creds": {...}, "keys": {"session": {"1.0": {...}}}, "times": {"session": {"1.0": ["2026-11-23T04:55:00Z", null]}}}; creds and times may be left out.';
  end if;
  if coalesce(p_state -> 'creds', 'null') <> 'null' then
    perform _assert_creds(p_state -> 'creds', 'p_state["creds"]');
  end if;
  perform _assert_batch(p_state -> 'keys', 'p_state["keys"]');
end
$func$;

-- functions/_assert_stored_creds.sql
-- Creds that no function of ours would take: another program wrote them into the table, or an earlier version.
create or replace function _assert_stored_creds (p_company_id text, p_creds jsonb)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_fault constant text := _creds_fault(p_creds);
begin
  if v_fault is not null then
    raise exception using errcode = 'WA006',
      message = format('No client can use the creds that are stored for company %s.', to_json(p_company_id)),
      detail = 'creds' || v_fault || '.',
      hint = 'auth_creds_history lists earlier ones, auth_restore_creds puts them back. Without those: auth_delete_company, then pair anew.';
  end if;
end
$func$;

-- functions/_assert_token.sql
create or replace function _assert_token (p_token bigint)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_token is null then
    raise exception using errcode = 'WA001',
      message = 'A lease token is needed.',
      detail = 'p_token is null.',
      hint = 'Pass the token that auth_acquire_lease gave.';
  end if;
end
$func$;

-- functions/_assert_transaction.sql
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

-- functions/_assert_ttl.sql
create or replace function _assert_ttl (p_ttl interval)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  -- '1 month -29 days' is above zero, and in the past after most days of February.
  if p_ttl is null or p_ttl <= '0' or p_ttl > '1000 years'
     or least(extract(year from p_ttl), extract(month from p_ttl), extract(day from p_ttl),
              extract(hour from p_ttl), extract(minute from p_ttl), extract(second from p_ttl)) < 0 then
    raise exception using errcode = 'WA001',
      message = 'A ttl is an interval above zero and up to 1000 years.',
      detail = format('p_ttl is %s.', coalesce(p_ttl::text, 'null')),
      hint = 'Like interval ''60 seconds''.';
  end if;
end
$func$;

-- functions/_assert_utf8.sql
create or replace function _assert_utf8 ()
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  if getdatabaseencoding() <> 'UTF8' then
    raise exception using errcode = 'WA006',
      message = format('This database is %s, and WhatsApp names need UTF8.', getdatabaseencoding()),
      detail = 'Names with letters that the encoding lacks could be neither stored nor read.',
      hint = 'Restore into another one: create database ... encoding ''UTF8'' template template0';
  end if;
end
$func$;

-- functions/_audit.sql
-- Who did what: one row, never a value. An event of no company in particular has the company ''. A tenant could
-- fill the log: of what one caller does to one company 100 events of an action get a row in a day, the others of that
-- day are counted in the last.
create or replace function _audit (
  p_company_id text,
  p_action text,
  p_now timestamptz,
  p_rows bigint,
  p_details jsonb default null
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_most constant integer := 100;
  v_audit_ids bigint[];
begin
  if p_company_id <> '' then
    v_audit_ids := array(
      select a.audit_id
        from whatsapp_audit a
       where a.company_id = p_company_id and a.at > p_now - interval '1 day' and a.action = p_action
         and a.login = session_user and a.role = _caller() and a.on_behalf_of is not distinct from _on_behalf_of()
       order by a.at desc, a.audit_id desc
       limit v_most);
  end if;
  if cardinality(v_audit_ids) = v_most then
    update whatsapp_audit a
       set rows = a.rows + p_rows,
           details = coalesce(a.details, '{}') || jsonb_build_object(
             'repeated', coalesce((a.details ->> 'repeated')::bigint, 0::bigint) + 1::bigint, 'until', _utc(p_now))
     where a.company_id = p_company_id and a.at > p_now - interval '1 day' and a.audit_id = v_audit_ids[1];
    return;
  end if;
  insert into whatsapp_audit (
    company_id, at, action, login, on_behalf_of, role, application_name, holder, rows, details
  )
  select p_company_id, p_now, p_action, session_user, _on_behalf_of(), _caller(), current_setting('application_name'),
         (select l.holder
            from whatsapp_leases l
           where l.company_id = p_company_id and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now)),
         p_rows, p_details;
end
$func$;

-- functions/_begin_write.sql
-- What every writing function does first: enters the company, then checks the lease.
create or replace function _begin_write (p_company_id text, p_lease_token bigint)
returns timestamptz
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_lease record;
  v_is_live boolean := false;
begin
  v_now := _enter_company(p_company_id);
  select l.token, l.holder, l.expires_at, l.given_in, l.written_by, l.xmin as written_in
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;
  if v_lease.token is not null then
    v_is_live := _is_live(v_lease.expires_at, v_lease.given_in, v_lease.written_by, v_lease.written_in, v_now);
  end if;
  if p_lease_token is not null then
    if v_lease.token is distinct from p_lease_token or not v_is_live then
      perform _refuse_token(p_company_id, p_lease_token, v_now);
    end if;
  elsif v_is_live then
    raise exception using errcode = 'WA002',
      message = format('Company %s is under a lease.', to_json(p_company_id)),
      detail = format('%s holds it until %s.', to_json(v_lease.holder), v_lease.expires_at),
      hint = 'Pass the token that auth_acquire_lease gave as p_lease_token, or wait until the lease has ended.';
  elsif v_lease.written_by is not null then
    -- From here on somebody else has written: the last holder cannot go on as if nobody had.
    update whatsapp_leases l
       set written_by = null
     where l.company_id = p_company_id;
  end if;
  return v_now;
end
$func$;

-- functions/_buffer.sql
-- The bytes of a Buffer in any form that a version of Baileys or a plain JSON.stringify wrote, as the base64 of the
-- present form; null if it is none. Two spellings of one key are one identity.
create or replace function _buffer (p_value jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_data jsonb;
  v_base64 text;
  v_bytes bytea;
begin
  if jsonb_typeof(p_value) is distinct from 'object' then
    return null;
  end if;
  if p_value ->> 'type' = 'Buffer' or p_value -> 'buffer' = 'true' then
    v_data := coalesce(p_value -> 'data', p_value -> 'value');
  else
    select jsonb_agg(p_value -> (n - 1)::text order by n)
      into v_data
      from generate_series(1, (select count(*) from jsonb_object_keys(p_value))) n;
  end if;
  if jsonb_typeof(v_data) = 'string' then
    v_base64 := translate(rtrim(v_data #>> '{}', '='), '-_', '+/');
    v_bytes := decode(rpad(v_base64, (length(v_base64) + 3) / 4 * 4, '='), 'base64');
  elsif jsonb_typeof(v_data) = 'array' then
    select case when coalesce(bool_and(coalesce(n::integer between 0 and 255, false)), true)
                then decode(coalesce(string_agg(lpad(to_hex(n::integer), 2, '0'), '' order by place), ''), 'hex') end
      into v_bytes
      from jsonb_array_elements_text(v_data) with ordinality e (n, place);
  end if;
  return replace(encode(v_bytes, 'base64'), chr(10), '');
exception
  when data_exception then
    return null;
end
$func$;

-- functions/_caller.sql
-- The role that was set, or the login: current_user would be our own owner.
create or replace function _caller ()
returns name
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  return coalesce(nullif(current_setting('role'), 'none')::name, session_user);
end
$func$;

-- functions/_confined_to.sql
-- Which company's rows this session may touch: null for all, '' for none. Everything about who is calling is
-- decided here, for the functions and for the policies behind them. The caller is the role that was set, or
-- the login, never current_user, which is our own owner. In this order: a superuser; ourselves, in an upgrade
-- or a dump; a login bound to a company, which nothing frees from it; the service; a tenant.
--
-- The session is believed, and that is wrong in one place: maintenance (autovacuum, analyze, reindex, refresh
-- materialized view) runs what an index or a view calls as its owner, in the session of a superuser. Nothing
-- tells a function that, but PostgreSQL refuses some statements there: the functions that ask begin with one
-- that does nothing elsewhere, also on a read replica. It is refused in parallel mode, too, and before
-- PostgreSQL 17 so are the claims, read in a block with an exception: whatever asks is parallel unsafe.
create or replace function _confined_to ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_caller constant name := coalesce(nullif(current_setting('role'), 'none')::name, session_user);
  v_narrowed constant text := nullif(current_setting('auth_state.company_id', true), '');
  v_bound text;
  v_other text;
begin
  -- Of the caller: a superuser who set another role is no superuser here.
  if current_setting('is_superuser') = 'on' then
    return v_narrowed;
  elsif v_caller = 'auth_state_owner' then
    return null;
  end if;

  select min(t.company_id), max(t.company_id)
    into v_bound, v_other
    from whatsapp_tenant_roles t
   where t.role_name in (v_caller, session_user);
  if v_bound is not null then
    if v_bound = v_other
       and (pg_has_role(v_caller, 'auth_state_tenant', 'USAGE') or pg_has_role(v_caller, 'auth_state_service', 'USAGE')) then
      return v_bound;
    end if;
    return '';
  end if;

  -- Before PostgreSQL 16 Supabase's own roles, which are NOINHERIT, cannot have USAGE of ours.
  if pg_has_role(v_caller, 'auth_state_service', case when v_caller = 'service_role' then 'MEMBER' else 'USAGE' end) then
    return v_narrowed;
  elsif pg_has_role(v_caller, 'auth_state_tenant', case when v_caller = 'authenticated' then 'MEMBER' else 'USAGE' end) then
    return _tenant_company(v_narrowed);
  end if;
  return '';
end
$func$;

-- functions/_creds_fault.sql
-- Why no client can use these creds; null when one can. Baileys' object always has both keys; an encrypting client
-- makes a JWE in compact form (RFC 7516, 7.1) of it.
create or replace function _creds_fault (p_creds jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return case
    when p_creds is null then ' is null'
    when jsonb_typeof(p_creds) = 'object' then
      case
        when coalesce(jsonb_typeof(p_creds -> 'noiseKey'), 'null') = 'null' then '["noiseKey"] is missing'
        when coalesce(jsonb_typeof(p_creds -> 'signedIdentityKey'), 'null') = 'null' then '["signedIdentityKey"] is missing'
      end
    when jsonb_typeof(p_creds) <> 'string' then ' is a JSON ' || jsonb_typeof(p_creds)
    when _header(p_creds) is not null then null
    when p_creds #>> '{}' ~ '^[[:space:]]*[{["]' then ' is JSON text inside a JSON string: it was encoded twice'
    else ' is a string that is no JWE in compact form'
  end;
end
$func$;

-- functions/_delete_keys.sql
-- The nulls of a batch. Without the other joins the planner probes the primary key once per id, however
-- many rows it believes a batch to have.
create or replace function _delete_keys (p_company_id text, p_data jsonb)
returns integer
language plpgsql
volatile
parallel unsafe
set search_path from current
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_deleted integer;
begin
  delete from whatsapp_keys k
   using jsonb_each(p_data) t
   cross join lateral jsonb_each(t.value) e
   where e.value = 'null' and k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$func$;

-- functions/_end_leases.sql
-- Behind a truncation of creds or keys, which a restore of rows begins with: no holder goes on over other rows than its own.
create or replace function _end_leases ()
returns trigger
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  update whatsapp_leases l
     set written_by = null
   where l.written_by is not null;
  return null;
end
$func$;

-- functions/_enter_company.sql
-- In this order, each a statement of its own: access, isolation, lock, clock. What is read after it is of now.
create or replace function _enter_company (p_company_id text)
returns timestamptz
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_key constant bigint := hashtextextended('pg_auth_state:company:' || p_company_id, 0);  -- _lock_key, without its call
begin
  unlisten pg_auth_state_nothing;  -- _confined_to says why
  if current_user <> 'auth_state_owner' or current_setting('row_security') <> 'on' or getdatabaseencoding() <> 'UTF8' then
    perform _assert_session();
    perform _assert_utf8();
  end if;
  if (select not (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) ))) or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if current_setting('transaction_isolation') <> 'read committed' or current_setting('transaction_read_only') = 'on' then
    perform _assert_transaction();
  end if;
  if not pg_try_advisory_xact_lock(v_key) then
    perform _wait_for_lock(v_key, format('Company %s', to_json(p_company_id)));
  end if;
  return case when coalesce(current_setting('auth_state.now', true), '') = '' then clock_timestamp() else _now() end;
end
$func$;

-- functions/_from_utc.sql
-- What _utc gives; null for anything else, so that the caller can name the path. _utc spells no year before 1.
create or replace function _from_utc (p_time text)
returns timestamptz
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if p_time ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$' then
    return case when p_time::timestamptz >= '0001-01-01T00:00:00Z' then p_time::timestamptz end;
  end if;
  return null;
exception
  when data_exception then
    return null;
end
$func$;

-- functions/_header.sql
-- The protected header of creds that a client encrypted (docs/encryption.md); null for any others. The database
-- cannot verify it, the client does. Whatever is malformed has none, and is not quoted by an error.
create or replace function _header (p_creds jsonb)
returns jsonb
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_part text;
  v_header jsonb;
begin
  if jsonb_typeof(p_creds) is distinct from 'string' then
    return null;
  end if;
  -- Header, encrypted key, initialization vector, ciphertext, tag.
  v_part := translate(
    substring(p_creds #>> '{}' from '^(eyJ[A-Za-z0-9_-]*)[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*[.][A-Za-z0-9_-]+$'),
    '-_', '+/');
  v_header := convert_from(decode(rpad(v_part, (length(v_part) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb;
  return case when jsonb_typeof(v_header) = 'object' then v_header end;
exception
  when data_exception or program_limit_exceeded then
    return null;
end
$func$;

-- functions/_identity.sql
-- A fingerprint of who creds are, made of the public halves of the keys that WhatsApp knows the account by.
-- Encrypted ones carry it in their header. Null where there are none to read.
create or replace function _identity (p_creds jsonb)
returns text
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
declare
  v_noise constant jsonb := p_creds -> 'noiseKey';
  v_own constant jsonb := p_creds -> 'signedIdentityKey';
begin
  if jsonb_typeof(p_creds) = 'string' then
    return substring(_header(p_creds) ->> 'identity' from '^[0-9a-f]{32}$');
  end if;
  return left(encode(sha256(convert_to(
    coalesce(_buffer(v_noise -> 'public'), v_noise #>> '{public,data}', v_noise #>> '{public}', v_noise #>> '{}') || '.'
    || coalesce(_buffer(v_own -> 'public'), v_own #>> '{public,data}', v_own #>> '{public}', v_own #>> '{}'), 'UTF8')), 'hex'), 32);
end
$func$;

-- functions/_is_monitor.sql
-- Somebody who may act for no company, but look at numbers, leases and the audit log of all of them.
create or replace function _is_monitor ()
returns boolean
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  return _confined_to() = ''
         and pg_has_role(_caller(), 'auth_state_monitor', 'USAGE')
         and not exists (select from whatsapp_tenant_roles t where t.role_name in (_caller(), session_user));
end
$func$;

-- functions/_is_new_identity.sql
-- Whether these creds are somebody else than those, to the identity guard: both halves of both keys count. Fingerprints
-- are made only where one of the two is encrypted.
create or replace function _is_new_identity (p_old jsonb, p_new jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return (p_old -> 'noiseKey' = p_new -> 'noiseKey' and p_old -> 'signedIdentityKey' = p_new -> 'signedIdentityKey') is not true
         and case
               when jsonb_typeof(p_old) = 'object' and jsonb_typeof(p_new) = 'object' then
                 (_is_same_key(p_old -> 'noiseKey', p_new -> 'noiseKey')
                  and _is_same_key(p_old -> 'signedIdentityKey', p_new -> 'signedIdentityKey')) is not true
               else _identity(p_old) is distinct from _identity(p_new)
             end;
end
$func$;

-- functions/_is_paired.sql
-- Baileys sets a me without a device while a pairing code is pending (Socket/socket.ts, requestPairingCode).
-- Encrypted creds say so in their header.
create or replace function _is_paired (p_creds jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if jsonb_typeof(p_creds) = 'string' then
    return coalesce(_header(p_creds) -> 'paired' = 'true', false);
  end if;
  return coalesce(jsonb_typeof(p_creds -> 'account'), 'null') <> 'null'
         or coalesce(p_creds #>> '{me,id}', '') ~ ':[0-9]+@';
end
$func$;

-- functions/_is_same_key.sql
create or replace function _is_same_key (p_one jsonb, p_other jsonb)
returns boolean
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  return p_one = p_other
         or (_buffer(p_one -> 'private') = _buffer(p_other -> 'private')
             and _buffer(p_one -> 'public') = _buffer(p_other -> 'public')) is true;
end
$func$;

-- functions/_is_shown.sql
-- Whether a message of this level reaches the log or the client.
create or replace function _is_shown (p_level text, p_log_min_messages text, p_client_min_messages text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
declare
  v_log constant text[] := array['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic'];
  v_client constant text[] := array['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error'];
begin
  return coalesce(
    p_level = 'info'
    or array_position(v_log, p_level) >= array_position(v_log, p_log_min_messages)
    or array_position(v_client, p_level) >= array_position(v_client, p_client_min_messages),
    true
  );
end
$func$;

-- functions/_keep_creds.sql
-- Into the history with creds that are replaced or deleted: the last few versions stay, and for 30 days the
-- last one of each identity, since one re-pairing saves creds more often than the history is long. A tenant could
-- fill it: beyond 100 changes of identity in that time only the last creds of each identity stay, and a further
-- identity is refused. A restoration never is.
create or replace function _keep_creds (
  p_company_id text,
  p_version bigint,
  p_creds jsonb,
  p_saved_at timestamptz,
  p_new jsonb,
  p_now timestamptz,
  p_is_restored boolean
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_versions constant integer := _setting('history_versions')::integer;
  v_ends_identity constant boolean := _is_new_identity(p_creds, p_new);
begin
  if v_ends_identity
     and (select count(*)
            from whatsapp_auth_history h
           where h.company_id = p_company_id and h.ends_identity and h.replaced_at > p_now - interval '30 days') >= 100 then
    delete from whatsapp_auth_history h
     where h.company_id = p_company_id and h.ends_identity and not _is_new_identity(h.creds, p_creds);
    if not found and not p_is_restored then
      raise exception using errcode = 'WA006',
        message = format('Company %s has changed its identity 100 times in 30 days.', to_json(p_company_id)),
        detail = 'Each identity is kept for 30 days, so that there is a way back. Nothing was written.',
        hint = 'Look at auth_creds_history and auth_list_audit: who does this? auth_forget_history makes room.';
    end if;
  end if;
  insert into whatsapp_auth_history (company_id, version, creds, saved_at, replaced_at, ends_identity)
  values (p_company_id, p_version, p_creds, p_saved_at, p_now, v_ends_identity)
  on conflict (company_id, version) do nothing;
  delete from whatsapp_auth_history h
   where h.company_id = p_company_id
     and h.version <= (
       select n.version
         from whatsapp_auth_history n
        where n.company_id = p_company_id
        order by n.version desc
       offset v_versions
        limit 1
     )
     and not (h.ends_identity and h.replaced_at > p_now - interval '30 days');
end
$func$;

-- functions/_list_session_settings.sql
-- The settings of each kind of session that may call us: a login without settings of its own (login is null), each
-- login that has some, and this session if it set some. As in PostgreSQL the role in the database outranks the role,
-- that the database, that all roles, and that the server. p_settings gives each name its default and its worst value:
-- the worst stands for the server's where a setting of this login hides it.
-- value has one spelling (on, off, 0, -1, lower case), reason says what is set and where, way_out is the command, up
-- to the name, that counts there.
create or replace function _list_session_settings (p_settings jsonb)
returns table (login oid, value jsonb, reason jsonb, way_out jsonb, is_hidden jsonb)
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_me constant oid := (select r.oid from pg_roles r where r.rolname = session_user);
  v_database constant oid := (select d.oid from pg_database d where d.datname = current_database());
begin
  return query
  with entries as materialized (
    select s.setrole,
           s.setdatabase,
           lower(split_part(c.entry, '=', 1)) as name,
           substr(c.entry, strpos(c.entry, '=') + 1) as value
      from pg_db_role_setting s
     cross join unnest(s.setconfig) c (entry)
     where s.setdatabase in (0, v_database) and p_settings ? lower(split_part(c.entry, '=', 1))
  ), server as materialized (
    select w.name,
           w.ends ->> 0 as usual,
           case when k.is_known then s.setting
                when h.is_hidden then w.ends ->> 1
                when s.source in ('interactive', 'session') then s.reset_val
                else coalesce(case when s.name is null then nullif(current_setting(w.name, true), '') end, w.ends ->> 0)
           end as value,
           h.is_hidden,
           -- Also where somebody has changed what this session began with.
           case when not k.is_known and (s.source in ('client', 'interactive', 'session') or not k.is_mine) then s.setting end as of_session
      from jsonb_each(p_settings) w (name, ends)
      left join pg_settings s on s.name = w.name
     cross join lateral (
       select coalesce(s.source, '') in ('default', 'environment variable', 'command line', 'configuration file') as is_known,
              exists (select from entries e where e.name = w.name and e.setrole in (0, v_me)) as is_mine
     ) k
     cross join lateral (
       select not k.is_known
              and (coalesce(s.source, '') = 'client' or exists (select from entries e where e.name = w.name and e.setrole = v_me))
              as is_hidden
     ) h
  ), sessions as (
    select null::oid as role, false as is_this
     union all
    select r.oid, false
      from pg_roles r
     where r.oid in (select e.setrole from entries e) and r.rolcanlogin
       and (pg_has_role(r.oid, 'auth_state_service', 'MEMBER')
            or pg_has_role(r.oid, 'auth_state_tenant', 'MEMBER')
            or pg_has_role(r.oid, 'auth_state_proxy', 'MEMBER'))
     union all
    select v_me, true
     where exists (select from server s where s.of_session is not null)
  )
  select n.role,
         jsonb_object_agg(s.name, v.plain),
         jsonb_strip_nulls(jsonb_object_agg(s.name, v.reason)),
         jsonb_object_agg(s.name, v.way_out),
         jsonb_object_agg(s.name, v.is_hidden)
    from sessions n
   cross join server s
    left join lateral (
      select e.*
        from entries e
       where e.name = s.name and e.setrole in (0, coalesce(n.role, 0))
       order by e.setrole <> 0 desc, e.setdatabase <> 0 desc
       limit 1
    ) e on true
   cross join lateral (
     select case when n.is_this then s.of_session end as of_session,
            case when e.setrole <> 0 and e.setdatabase <> 0
                 then format('role %I in database %I', pg_get_userbyid(e.setrole), current_database())
                 when e.setrole <> 0 then format('role %I', pg_get_userbyid(e.setrole))
                 else format('database %I', current_database())
            end as altered
   ) o
   cross join lateral (
     select coalesce(o.of_session, e.value, s.value) as value,
            o.of_session is null and e.value is null and s.is_hidden as is_hidden,
            case when o.of_session is not null then 'in this session'
                 when e.setrole = 0 and e.setdatabase = 0 then 'for all roles'
                 when e.name is not null then 'for ' || o.altered
                 else 'for the server'
            end as place
   ) f
   cross join lateral (
     select f.is_hidden,
            case when f.value ~* '^(t|tr|tru|true|y|ye|yes)$' then 'on'
                 when f.value ~* '^(f|fa|fal|fals|false|n|no|of)$' then 'off'
                 when f.value ~ '^ *-[^1-9]*[1-9]' then '-1'
                 when f.value ~* '^ *[+-]?(0+[.]?0*|[.]0+)(e[+-]?[0-9]+)? *([a-z]*b|[mu]?s|min|h|d)?$' then '0'
                 else lower(f.value)
            end as plain,
            case when f.is_hidden
                 then format('%s for the server, which %s hides', s.name,
                             case when s.of_session is null then format('the setting of role %I', session_user) else 'this session' end)
                 when f.value <> s.usual or f.place <> 'for the server' then format('%s = %s %s', s.name, f.value, f.place)
            end as reason,
            case when o.of_session is not null then 'set'
                 else format('alter %s set', o.altered)
            end as way_out
   ) v
   group by n.role, n.is_this;
end
$func$;

-- functions/_list_status_warnings.sql
create or replace function _list_status_warnings ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  return query select * from _warn_of_printed_values();
  return query select * from _warn_of_lost_writes();
  return query select * from _warn_of_access();
  return query select * from _warn_of_incomplete_install();
end
$func$;

-- functions/_listed.sql
-- For functions that list: the company they are to show, null for every one. Asked for none in particular,
-- that is whatever the caller may see.
create or replace function _listed (p_company_id text, p_to_monitor boolean)
returns text
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_confined text;
begin
  perform _assert_session();
  perform _assert_policies();
  if p_to_monitor and _is_monitor() then
    if p_company_id is not null then
      perform _assert_company_id(p_company_id);
    end if;
    return p_company_id;
  elsif p_company_id is not null then
    perform _assert_company(p_company_id);
    return p_company_id;
  end if;
  v_confined := _confined_to();
  if v_confined = '' or 'auth_state_owner' in (current_setting('role'), session_user) then
    raise exception using errcode = '42501',
      message = format('%I may not see any company.', _caller()),
      hint = format('grant auth_state_monitor to %1$I for numbers, leases and the audit log; auth_state_service for everything.', _caller());
  end if;
  return v_confined;
end
$func$;

-- functions/_lock_key.sql
create or replace function _lock_key (p_company_id text)
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return hashtextextended('pg_auth_state:company:' || p_company_id, 0);
end
$func$;

-- functions/_lock_wait.sql
-- In milliseconds: the setting lock_wait, or what the session has that is shorter: auth_state.lock_wait, lock_timeout.
create or replace function _lock_wait ()
returns integer
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_own constant text := nullif(current_setting('auth_state.lock_wait', true), '');
  v_timeout constant integer := (select s.setting::integer from pg_settings s where s.name = 'lock_timeout');
begin
  if v_own is not null then
    perform _assert_setting('lock_wait', v_own, 'auth_state.lock_wait');
  end if;
  return least(extract(epoch from least(_span(v_own), _span(_setting('lock_wait')))) * 1000::numeric, nullif(v_timeout, 0))::integer;
end
$func$;

-- functions/_next_number.sql
-- The next version or token: grows over deletion, truncation and an old dump too, since the clock did.
create or replace function _next_number (p_previous bigint, p_now timestamptz)
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return greatest(p_previous + 1, floor(extract(epoch from p_now) * 1000000::numeric)::bigint);
end
$func$;

-- functions/_now.sql
-- The one clock. Tests set auth_state.now; anybody may set that, only a superuser's session is believed.
create or replace function _now ()
returns timestamptz
language plpgsql
volatile
parallel safe
set search_path from current
as $func$
begin
  if coalesce(current_setting('auth_state.now', true), '') <> '' then
    -- Inside: a condition that holds a query is no simple expression, and dear.
    if (select r.rolsuper from pg_roles r where r.rolname = session_user) then
      return current_setting('auth_state.now')::timestamptz;
    end if;
  end if;
  return clock_timestamp();
end
$func$;

-- functions/_on_behalf_of.sql
-- For whom a service or a proxy acts, as auth_state.on_behalf_of says; nobody else is believed.
create or replace function _on_behalf_of ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_name constant text := nullif(left(current_setting('auth_state.on_behalf_of', true), 256), '');
begin
  if v_name is not null
     and (pg_has_role(_caller(), 'auth_state_service', 'USAGE') or pg_has_role(session_user, 'auth_state_proxy', 'MEMBER'))
     and not exists (select from whatsapp_tenant_roles t where t.role_name in (_caller(), session_user)) then
    return v_name;
  end if;
  return null;
end
$func$;

-- functions/_refuse_token.sql
-- Says why a token is not that of a live lease.
create or replace function _refuse_token (p_company_id text, p_token bigint, p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_lease record;
begin
  perform _assert_policies();
  select l.token = p_token
         and (coalesce(l.written_by <> l.xmin, false) or not _is_of_this_database(l.given_in)) as is_a_copy,
         l.token = p_token and l.given_in <> _server_history() as is_of_another_history,
         l.token = p_token and coalesce(l.written_by = l.xmin, false) and l.given_in = _server_history() as is_over,
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now) as is_live,
         l.holder,
         l.expires_at
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;
  raise exception using errcode = 'WA002',
    message = format('The lease on company %s is lost.', to_json(p_company_id)),
    detail = case
      when v_lease.is_a_copy then
        'It was given before a dump or a copy that was restored here: what was written last may be missing.'
      when v_lease.is_of_another_history then
        'The server was replaced since it was given (failover, recovery or copy): what was written last may be missing.'
      when v_lease.is_live then
        format('%s holds it until %s.', to_json(v_lease.holder), v_lease.expires_at)
      when v_lease.is_over then format('It ended at %s. Nobody has held it or written since.', v_lease.expires_at)
      else 'Nobody holds it now, but somebody may have held it and written.'
    end,
    hint = case
      when v_lease.is_of_another_history and not v_lease.is_a_copy then
        'Call auth_acquire_lease with this token as p_token. If it is acquired, nobody wrote in between: write again what '
        'you wrote lately, then go on. If not, stop, and read the state again.'
      when v_lease.is_over then
        'Call auth_acquire_lease with this token as p_token. If it is acquired, nobody wrote in between: go on. If not, stop, '
        'and read the state again.'
      else 'Stop, call auth_acquire_lease, read the state again, then go on with the new token.'
    end;
end
$func$;

-- functions/_remove_expired_keys.sql
-- Behind cleanup_expired_keys: removes a batch, or in a dry run counts it, and renews what is kept. A company under
-- a live lease is left alone: its holder keeps the keys in memory, and would never write them again.
create or replace function _remove_expired_keys (
  p_now timestamptz,
  p_batch_size integer,
  p_is_dry boolean,
  p_company_id text
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  -- So few that a writer of a company under way waits for milliseconds.
  v_budget constant bigint := case when p_is_dry then 2147483647 else least(greatest(p_batch_size, 1000), 2000) end::bigint;
  v_leased constant text[] := array(select l.company_id
                                      from whatsapp_leases l
                                     where _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now));
  v_queue text[] := array(select p_company_id where p_company_id is not null and p_company_id <> all(v_leased));
  v_is_last boolean := p_company_id is not null;
  v_from timestamptz := '-infinity'::timestamptz;
  v_slice text[];
  v_size integer := 1;
  v_seen text[] := '{}'::text[];
  v_found record;
  v_rows bigint;
  v_removed bigint := 0::bigint;
  v_looked_at bigint := 0::bigint;
  v_average bigint;
  v_spent bigint := 0::bigint;
  v_locks integer := 0;
begin
  -- Companies in the order of their oldest expired key, a few at a time, until so many keys have been looked at
  -- and something removed, or no company is left.
  loop
    if v_queue = '{}' then
      exit when v_is_last;
      -- What is left of before v_from is of companies that were seen.
      select array_agg(c.company_id order by c.since), max(c.until), p_is_dry or sum(c.keys) < (v_budget / 10)::numeric
        into v_queue, v_from, v_is_last
        from (
          select o.company_id, min(o.expires_at) as since, max(o.expires_at) as until, count(*) as keys
            from (
              select k.company_id, k.expires_at
                from whatsapp_keys k
               where k.expires_at between v_from and p_now and k.company_id not in (select s.id from unnest(v_seen || v_leased) s (id))
               order by k.expires_at
               limit case when not p_is_dry then case when v_seen = '{}' then v_budget / 10 else v_budget end end
            ) o
           group by o.company_id
        ) c;
      exit when v_queue is null;
    end if;
    v_slice := v_queue[:v_size];
    v_queue := v_queue[v_size + 1:];
    v_seen := v_seen || v_slice;

    if p_is_dry then
      v_found := _sort_expired_keys(p_now, v_slice, p_batch_size - v_removed);
      v_rows := cardinality(v_found.removable)::bigint;
    else
      begin
        v_slice := array(select c.id from unnest(v_slice) c (id) where pg_try_advisory_xact_lock(_lock_key(c.id)));
        -- Behind the lock: a lease may have been given meanwhile.
        v_slice := array(select c.id
                           from unnest(v_slice) c (id)
                          where not exists (
                            select
                              from whatsapp_leases l
                             where l.company_id = c.id
                               and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, p_now)));
        v_found := _sort_expired_keys(p_now, v_slice, p_batch_size - v_removed);
        with gone as (
          delete from whatsapp_keys k
           where k.ctid = any(v_found.removable) and k.expires_at <= p_now
          returning k.company_id
        ),
        ended as (
          -- The last holder cannot go on as if nothing had been written.
          update whatsapp_leases l
             set written_by = null
           where l.company_id in (select g.company_id from gone g) and l.written_by is not null
        )
        select count(*) into v_rows from gone;
        -- Companies that lose nothing are let go again: any number of them may only be renewed.
        if v_rows = 0::bigint then
          raise no_data_found;
        end if;
        v_locks := v_locks + cardinality(v_slice);
      exception
        when no_data_found then
          null;
      end;
      if v_found.renewable is not null then
        perform _renew_kept_keys(p_now, v_found.renewable, v_found.renewed_at);
      end if;
    end if;
    v_removed := v_removed + v_rows;
    v_looked_at := v_looked_at + v_found.looked_at;
    if v_rows > 0 then
      v_spent := v_spent + v_found.looked_at;
    end if;
    v_average := v_looked_at / cardinality(v_seen) + 1;
    exit when v_removed > 0 and (v_found.has_more or v_locks >= 1000 or v_budget - v_spent < v_average);
    v_size := least(64::bigint, greatest(1::bigint, (v_budget - v_spent) / v_average))::integer;
  end loop;
  return v_removed;
end
$func$;

-- functions/_renew_kept_keys.sql
-- What a cleanup does not remove lives on. Rows that a writer holds are renewed another time: no company's lock is held
-- here, and as _apply_ttl says, SKIP LOCKED may wait.
create or replace function _renew_kept_keys (p_now timestamptz, p_rows tid[], p_renewed_at timestamptz[])
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set lock_timeout = '100ms'
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
begin
  update whatsapp_keys k
     set updated_at = r.at, expires_at = r.at + l.ttl
    from (
      select f.ctid as tid, f.key_type, n.at
        from unnest(p_rows, p_renewed_at) n (tid, at)
        join whatsapp_keys f on f.ctid = n.tid
       where f.expires_at <= p_now
         for no key update of f skip locked
    ) r
    join whatsapp_key_ttl l on l.key_type = r.key_type
   where k.ctid = r.tid;
exception
  when lock_not_available then
    null;
end
$func$;

-- functions/_renew_keys.sql
-- An unchanged write keeps a key with a ttl alive, at most once a day or once its time is up. A row that a
-- cleanup renews at this moment is not waited for.
create or replace function _renew_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
begin
  update whatsapp_keys k
     set updated_at = p_now, expires_at = p_now + free.ttl
    from (
      select s.key_type, s.key_id, l.ttl
        from jsonb_each(p_data) t
        join whatsapp_key_ttl l on l.key_type = t.key
       cross join lateral jsonb_object_keys(t.value) e (id)
        join whatsapp_keys s on s.company_id = p_company_id and s.key_type = t.key and s.key_id = e.id
       where s.expires_at is not null
         and (s.updated_at <= p_now - interval '1 day' or s.expires_at <= p_now)
         for no key update of s skip locked
    ) free
   where k.company_id = p_company_id and k.key_type = free.key_type and k.key_id = free.key_id;
end
$func$;

-- functions/_setting.sql
-- The value in force: the one that auth_configure keeps, or the default.
create or replace function _setting (p_name text)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  return coalesce((select s.value from whatsapp_settings s where s.name = p_name),
                  (select k.default_value from _known_settings() k where k.name = p_name));
end
$func$;

-- functions/_shown_to.sql
-- For the policies of tables that a monitor counts in: whose rows, as _confined_to has it, and all to a monitor.
create or replace function _shown_to ()
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_company constant text := _confined_to();
begin
  return case when v_company = '' and _is_monitor() then null else v_company end;
end
$func$;

-- functions/_sign_lease.sql
-- After a lease row was written, in the same transaction or savepoint: notes which one that was.
create or replace function _sign_lease (p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  update whatsapp_leases l
     set written_by = l.xmin
   where l.company_id = p_company_id;
end
$func$;

-- functions/_sort_expired_keys.sql
-- Of these companies' keys past their expiry: which may go, p_limit of them at most, and which are renewed as of
-- when. Most may go. A LID mapping is kept while it is in use, while its other half lives, and when it or its
-- other half cannot be read (encrypted). In use is a session <user>.<device> or <user>_<domain>.<device> of
-- either side; Baileys 6 names a LID's <lid>.<device>, too. Each company is read once as a whole, and its keys
-- looked up in hash tables: an index probe for each question costs several times as much.
create or replace function _sort_expired_keys (
  p_now timestamptz,
  p_companies text[],
  p_limit bigint,
  out removable tid[],
  out renewable tid[],
  out renewed_at timestamptz[],
  out looked_at bigint,
  out has_more boolean
)
language plpgsql
stable
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set work_mem = '64MB'
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $func$
declare
  v_mappings constant text[] := array['lid-mapping', 'lid-mapping-reverse'];
  v_types constant text[] := v_mappings || array(select l.key_type from whatsapp_key_ttl l
                                                  where l.ttl is not null and l.key_type <> all(v_mappings));
  -- Their rows may bear the expiry of before.
  v_changed constant text[] := array(select l.key_type from whatsapp_key_ttl l where l.changed_at is not null);
  v_held tid[];
begin
  with own as materialized (
    select r.tid, r.company_id, r.is_expired, r.is_mapping, r.is_reverse, r.name,
           case when octet_length(r.other) between 1 and 40 and r.other !~ '[^0-9A-Za-z_-]' then r.other end as other
      from (
        select k.ctid as tid, k.company_id,
               case
                 when k.expires_at > p_now or k.expires_at is null then false
                 when k.key_type <> all(v_changed) then true
                 else (k.updated_at + (select l.ttl from whatsapp_key_ttl l where l.key_type = k.key_type) <= p_now) is true
               end as is_expired,
               k.key_type = any(v_mappings) as is_mapping,
               k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse' as is_reverse,
               case when right(k.key_id, 8) = '_reverse' then left(k.key_id, -8) else k.key_id end as name,
               case when k.key_type = any(v_mappings) and jsonb_typeof(k.value) = 'string' then k.value #>> '{}' end as other
          from whatsapp_keys k
         where k.company_id = any(p_companies) and k.key_type = any(v_types)
        offset 0  -- or each use of these would compute them again
      ) r
  ),
  users as materialized (
    select s.company_id, s.name
      from (
        -- What stands before a dot or an underscore of a session's id. Nearly all have one of each at most.
        select k.company_id,
               unnest(case when k.key_id like '%.%.%' or k.key_id like '%!_%!_%' escape '!'
                        then array(select left(k.key_id, n - 1) from generate_series(1, length(k.key_id)) n
                                    where substr(k.key_id, n, 1) in ('.', '_'))
                        else array[nullif(split_part(k.key_id, '.', 1), k.key_id), nullif(split_part(k.key_id, '_', 1), k.key_id)]
                      end) as name
          from whatsapp_keys k
         where k.company_id = any(p_companies) and k.key_type = 'session'
      ) s
     where s.name is not null
  ),
  expired as (
    select o.tid,
           case
             when not o.is_expired then null
             when not o.is_mapping then 'g'
             when o.other is null
               or (o.company_id, o.name) in (select u.company_id, u.name from users u)
               or (o.company_id, o.other) in (select u.company_id, u.name from users u)
               or (o.company_id, o.other, not o.is_reverse) in (
                 select x.company_id, x.name, x.is_reverse from own x where x.is_mapping and x.other is null)
               or (o.company_id, o.name, o.is_reverse) in (
                 select x.company_id, x.name, x.is_reverse from own x where x.is_mapping and x.other is null)
               then 'u'
             when (o.company_id, case when o.is_reverse then o.other else o.name end, case when o.is_reverse then o.name else o.other end) in (
                 select x.company_id, case when x.is_reverse then x.other else x.name end, case when x.is_reverse then x.name else x.other end
                   from own x
                  where x.is_mapping and x.other is not null and not x.is_expired)
               then 'h'
             else 'g'
           end::"char" as lot
      from own o
    offset 0
  )
  select coalesce(array_agg(e.tid) filter (where e.lot = 'g'), '{}'),
         array_agg(e.tid) filter (where e.lot = 'u'),
         array_agg(e.tid) filter (where e.lot = 'h'),
         count(*)
    into removable, renewable, v_held, looked_at
    from expired e;
  renewed_at := array_fill(p_now, array[coalesce(cardinality(renewable), 0)]);

  if v_held is not null then
    -- As of the other half's last write. Where that is longer ago than its own ttl it is kept as it is.
    select renewable || array_agg(n.tid), renewed_at || array_agg(n.at)
      into renewable, renewed_at
      from (
        select o.tid, max(h.updated_at) as at
          from (
            select k.ctid as tid, k.company_id, l.ttl,
                   case
                     when k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse'
                       then array[k.value #>> '{}', regexp_replace(k.key_id, '_reverse$', '')]
                     else array[k.key_id, k.value #>> '{}']
                   end as unit
              from whatsapp_keys k
              join whatsapp_key_ttl l on l.key_type = k.key_type
             where k.ctid = any(v_held)
          ) o
         cross join lateral (values ('lid-mapping', o.unit[1], o.unit[2]), ('lid-mapping', o.unit[2] || '_reverse', o.unit[1]),
                                    ('lid-mapping-reverse', o.unit[2], o.unit[1])) f (key_type, key_id, other)
          join whatsapp_keys h
            on h.company_id = o.company_id and h.key_type = f.key_type and h.key_id = f.key_id and h.value = to_jsonb(f.other)
         where h.ctid <> o.tid
         group by o.tid, o.ttl
        having max(h.updated_at) + o.ttl > p_now
      ) n;
  end if;

  has_more := cardinality(removable) > p_limit;
  if has_more then
    -- Whole units, a unit being a key or both halves of a mapping, oldest first: a running count whose peers are
    -- the keys of a unit counts them all or none.
    removable := array(
      select c.tid
        from (
          select u.tid, count(*) over (order by u.since, u.company_id, u.unit) as keys
            from (
              select o.tid, o.company_id, o.unit, min(o.expires_at) over unit as since, count(*) over unit as size
                from (
                  select k.ctid as tid, k.company_id, k.expires_at,
                         case
                           when k.key_type <> all(v_mappings) then array[k.key_type, k.key_id]
                           when k.key_type = v_mappings[2] or right(k.key_id, 8) = '_reverse'
                             then array[k.value #>> '{}', regexp_replace(k.key_id, '_reverse$', ''), null]
                           else array[k.key_id, k.value #>> '{}', null]
                         end as unit
                    from whatsapp_keys k
                   where k.ctid = any(removable)
                ) o
              window unit as (partition by o.company_id, o.unit)
            ) u
           where u.size <= p_limit
        ) c
       where c.keys <= p_limit);
  end if;
end
$func$;

-- functions/_span.sql
-- A span of time as a setting spells it; null for what is none. A bare number is milliseconds.
create or replace function _span (p_text text)
returns interval
language plpgsql
immutable
parallel unsafe
set search_path from current
set intervalstyle = 'postgres'
as $func$
declare
  v_span interval;
begin
  v_span := (case when p_text ~ '^[0-9]+$' then p_text || 'ms' else p_text end)::interval;
  if least(extract(year from v_span), extract(month from v_span), extract(day from v_span),
           extract(hour from v_span), extract(minute from v_span), extract(second from v_span)) >= 0 then
    return v_span;
  end if;
  return null;
exception
  when data_exception or feature_not_supported then
    return null;
end
$func$;

-- functions/_store_creds.sql
-- Behind every check: creds in place of the old ones, which go into the history. Null creds delete; the same
-- creds keep their version. Answers the version.
create or replace function _store_creds (
  p_company_id text,
  p_old_version bigint,
  p_old_creds jsonb,
  p_old_saved_at timestamptz,
  p_creds jsonb,
  p_saved_at timestamptz,
  p_now timestamptz,
  p_is_restored boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_version constant bigint := case when p_old_creds = p_creds then p_old_version else _next_number(p_old_version, p_now) end;
begin
  if p_creds is null then
    delete from whatsapp_auth a where a.company_id = p_company_id;
  else
    insert into whatsapp_auth as a (company_id, creds, version, created_at, updated_at)
    values (p_company_id, p_creds, v_version, p_now, p_saved_at)
    on conflict (company_id) do update
       set creds = excluded.creds, version = excluded.version, updated_at = excluded.updated_at;
  end if;
  if p_old_creds is not null and p_old_creds is distinct from p_creds then
    perform _keep_creds(p_company_id, p_old_version, p_old_creds, p_old_saved_at, p_creds, p_now, p_is_restored);
  end if;
  return v_version;
end
$func$;

-- functions/_tenant_company.sql
-- The company of a caller who is a tenant: the claim that a proxy (PostgREST) passes on, or what a service
-- session confines itself to. Both can be set by anybody; they are believed because of who logged in.
create or replace function _tenant_company (p_narrowed text)
returns text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_super constant boolean := (select r.rolsuper from pg_roles r where r.rolname = session_user);
  v_claims constant text := nullif(current_setting('request.jwt.claims', true), '');
  v_claim jsonb;
  v_app_claim jsonb;
  v_company text;
begin
  if pg_has_role(session_user, 'auth_state_proxy', 'MEMBER') and not (v_super and v_claims is null) then
    begin
      v_claim := v_claims::jsonb -> 'company_id';
      v_app_claim := v_claims::jsonb #> '{app_metadata,company_id}';
    exception
      -- PostgreSQL would quote the claims.
      when data_exception or program_limit_exceeded or statement_too_complex then
        return '';
    end;
    v_company := coalesce(v_claim, v_app_claim) #>> '{}';
    -- Two claims that differ, or one that is not a string, is no claim.
    if jsonb_typeof(coalesce(v_claim, v_app_claim)) = 'string'
       and coalesce(v_app_claim, v_claim) = coalesce(v_claim, v_app_claim)
       and coalesce(p_narrowed, v_company) = v_company then
      return v_company;
    end if;
  elsif v_super or pg_has_role(session_user, 'auth_state_service', 'USAGE') then
    return coalesce(p_narrowed, '');
  end if;
  return '';
end
$func$;

-- functions/_tidy_up.sql
-- When there is nothing left to remove: leases, audit rows and history past their time go, a batch of each, and
-- keys that a writer held while their type's ttl was changed are brought along.
create or replace function _tidy_up (p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  delete from whatsapp_leases l
   using (select o.company_id from whatsapp_leases o where o.expires_at < p_now - interval '1 day' limit 500) o
   where l.company_id = o.company_id and l.expires_at < p_now - interval '1 day'
     and pg_try_advisory_xact_lock(_lock_key(o.company_id));
  delete from whatsapp_audit a
   using (
     select o.company_id, o.at, o.audit_id
       from whatsapp_audit o
      where o.at < p_now - _span(_setting('audit_retention'))
      order by o.at
      limit 10000
   ) o
   where a.company_id = o.company_id and a.at = o.at and a.audit_id = o.audit_id;
  -- The last versions stay whatever their age.
  delete from whatsapp_auth_history h
   using (
     select o.company_id, o.version
       from whatsapp_auth_history o
      where o.ends_identity and o.replaced_at < p_now - interval '30 days'
        and (select count(*) from whatsapp_auth_history n
              where n.company_id = o.company_id and n.version > o.version) >= _setting('history_versions')::integer
      limit 10000
   ) o
   where h.company_id = o.company_id and h.version = o.version;
  perform _apply_ttl(t.key_type, t.ttl)
     from whatsapp_key_ttl t
    where t.changed_at is not null;
  -- After a day no writer of that time is left.
  update whatsapp_key_ttl t
     set changed_at = null
   where t.changed_at < p_now - interval '1 day';
end
$func$;

-- functions/_ttl_lock_key.sql
-- Held alone while a ttl changes, and shared by a cleanup batch: neither ever waits for the other's rows.
create or replace function _ttl_lock_key ()
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return hashtextextended('pg_auth_state:ttl', 0);
end
$func$;

-- functions/_utc.sql
create or replace function _utc (p_time timestamptz)
returns text
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end
$func$;

-- functions/_wait_for_lock.sql
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

-- functions/_warn_of_access.sql
-- Of roles that can reach the accounts, or change what the functions do, in a way that nobody granted with that in mind.
create or replace function _warn_of_access ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_owner constant oid := (select r.oid from pg_roles r where r.rolname = 'auth_state_owner');
  v_set constant text := case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end;
begin
  return query
  select format('%s may create objects in schema %I, and so change what the functions do: revoke create on schema %2$I from %s',
                case when a.grantee = 0 then 'Everybody' else format('Role %I', pg_get_userbyid(a.grantee)) end,
                n.nspname,
                case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
    from pg_namespace n
   cross join aclexplode(n.nspacl) a
    left join pg_roles r on r.oid = a.grantee
   where n.nspname = current_schema() and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
     and r.rolsuper is not true and a.grantee <> v_owner;

  return query
  select 'Role auth_state_owner, which can do everything to every account, can log in: alter role auth_state_owner nologin'::text
    from pg_roles r
   where r.oid = v_owner and r.rolcanlogin;

  -- By SET ROLE to somebody who has the owner's rights; ADMIN OPTION alone is not that. Columns of 16 by way of JSON.
  return query
  select format('%s %s can become auth_state_owner, and so read and change every account: revoke %s from %I%s',
                case count(*) when 1 then 'Login' else 'Logins' end,
                string_agg(quote_ident(l.rolname), ', ' order by l.rolname),
                'auth_state_owner',
                pg_get_userbyid(m.member),
                case when v_set = 'SET' then format(' granted by %I', pg_get_userbyid(m.grantor)) else '' end)
    from pg_auth_members m
    join pg_roles l on l.rolcanlogin and not l.rolsuper and pg_has_role(l.oid, m.member, 'MEMBER')
   where m.roleid = v_owner
     and (coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) or (to_jsonb(m) ->> 'inherit_option')::boolean)
     and exists (
       select
         from pg_roles x
        where not x.rolsuper and pg_has_role(x.oid, v_owner, 'USAGE') and pg_has_role(l.oid, x.oid, v_set)
     )
   group by m.member, m.grantor
   order by 1;

  return query
  select format('%s may execute %s of pg-auth-state (%s): install again',
                g.who,
                case count(*) when 1 then '1 function' else count(*) || ' functions' end,
                string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text))
    from pg_proc p
   cross join lateral (
     select 'Everybody' as who
       from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where a.grantee = 0
      union all
     select 'Role anon'
       from pg_roles r
      where r.rolname = 'anon' and has_function_privilege(r.oid, p.oid, 'EXECUTE')
   ) g
   where p.pronamespace = quote_ident(current_schema())::regnamespace and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys')
   group by g.who
   order by 1;
end
$func$;

-- functions/_warn_of_incomplete_install.sql
-- Of what is not as an install leaves it: a restore without owners, or of some tables only, and a database that
-- cannot hold the values.
create or replace function _warn_of_incomplete_install ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_schema constant oid := (select n.oid from pg_namespace n where n.nspname = current_schema());
  v_owner constant oid := (select r.oid from pg_roles r where r.rolname = 'auth_state_owner');
begin
  return query
  select format('Functions of pg-auth-state belong to %I and run with its rights: drop routine %s cascade; then install again',
                pg_get_userbyid(p.proowner), string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text))
    from pg_proc p
   where p.pronamespace = v_schema and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys') and p.proowner <> v_owner
   group by p.proowner
   order by 1;

  return query
  select format('Functions of pg-auth-state are missing (%s): install again', string_agg(w.name, ', ' order by w.name))
    from unnest(array['_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys']) w (name)
   where not exists (select from pg_proc p where p.pronamespace = v_schema and p.proname = w.name)
  having count(*) > 0;

  return query
  select format('Table %s %s: install again', w.name, f.fault)
    from unnest(array['whatsapp_audit', 'whatsapp_auth', 'whatsapp_auth_history', 'whatsapp_key_ttl', 'whatsapp_keys', 'whatsapp_leases', 'whatsapp_migrations', 'whatsapp_settings', 'whatsapp_tenant_roles']) w (name)
    left join pg_class c on c.relnamespace = v_schema and c.relname = w.name
   cross join lateral (
     select 'is missing' as fault
      where c.oid is null
      union all
     select format('belongs to %I, not to auth_state_owner', pg_get_userbyid(c.relowner))
      where c.relowner <> v_owner
      union all
     select 'has no forced row-level security'
      where not (c.relrowsecurity and c.relforcerowsecurity)
      union all
     select format('lacks row-level security policies (%s)', string_agg(n.name, ', ' order by n.name))
       from unnest(array['whatsapp_audit.company', 'whatsapp_audit.count', 'whatsapp_audit.log', 'whatsapp_audit.monitor', 'whatsapp_audit.prune', 'whatsapp_auth.company', 'whatsapp_auth_history.company', 'whatsapp_key_ttl.read', 'whatsapp_key_ttl.write', 'whatsapp_keys.company', 'whatsapp_keys.no_monitor_deletes', 'whatsapp_keys.no_monitor_inserts', 'whatsapp_keys.no_monitor_updates', 'whatsapp_leases.company', 'whatsapp_leases.no_monitor_deletes', 'whatsapp_leases.no_monitor_inserts', 'whatsapp_leases.no_monitor_updates', 'whatsapp_migrations.read', 'whatsapp_migrations.write', 'whatsapp_settings.read', 'whatsapp_settings.write', 'whatsapp_tenant_roles.read', 'whatsapp_tenant_roles.write']) p (path)
      cross join lateral (select split_part(p.path, '.', 2) as name) n
      where split_part(p.path, '.', 1) = w.name and c.oid is not null
        and not exists (select from pg_policy y where y.polrelid = c.oid and y.polname = n.name)
     having count(*) > 0
      union all
     select format('has row-level security policies of somebody else (%s)', string_agg(quote_ident(y.polname), ', ' order by y.polname))
       from pg_policy y
      where y.polrelid = c.oid and w.name || '.' || y.polname <> all (array['whatsapp_audit.company', 'whatsapp_audit.count', 'whatsapp_audit.log', 'whatsapp_audit.monitor', 'whatsapp_audit.prune', 'whatsapp_auth.company', 'whatsapp_auth_history.company', 'whatsapp_key_ttl.read', 'whatsapp_key_ttl.write', 'whatsapp_keys.company', 'whatsapp_keys.no_monitor_deletes', 'whatsapp_keys.no_monitor_inserts', 'whatsapp_keys.no_monitor_updates', 'whatsapp_leases.company', 'whatsapp_leases.no_monitor_deletes', 'whatsapp_leases.no_monitor_inserts', 'whatsapp_leases.no_monitor_updates', 'whatsapp_migrations.read', 'whatsapp_migrations.write', 'whatsapp_settings.read', 'whatsapp_settings.write', 'whatsapp_tenant_roles.read', 'whatsapp_tenant_roles.write'])
     having count(*) > 0
   ) f
   order by 1;

  if getdatabaseencoding() <> 'UTF8' then
    return next format('Names of WhatsApp do not fit into this database, which is %s: create database ... encoding ''UTF8'' template template0, '
                       'and move the accounts there', getdatabaseencoding());
  end if;
end
$func$;

-- functions/_warn_of_lost_writes.sql
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

-- functions/_warn_of_printed_values.sql
-- Of settings with which PostgreSQL 15 to 18, auto_explain or pgaudit print parameters or values, into the log or to
-- the client. tests/test_status_warnings.py holds it against real logs.
create or replace function _warn_of_printed_values ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  -- On 15 auto_explain knows no parameters.
  v_explains_parameters constant boolean := current_setting('server_version_num')::integer >= 160000;
  v_settings constant jsonb := jsonb_build_object(
    'client_min_messages', array['notice', 'notice'],
    'debug_print_plan', array['off', 'on'],
    'log_destination', array['stderr', 'stderr'],
    'log_error_verbosity', array['default', 'default'],
    'log_min_duration_sample', array['-1', '0'],
    'log_min_duration_statement', array['-1', '0'],
    'log_min_messages', array['warning', 'warning'],
    'log_parameter_max_length', array['-1', '-1'],
    'log_parameter_max_length_on_error', array['0', '-1'],
    'log_statement', array['none', 'all'],
    'log_statement_sample_rate', array['1', '1'],
    'log_transaction_sample_rate', array['0', '1'],
    'auto_explain.log_level', array['log', 'log'],
    'auto_explain.log_min_duration', array['-1', '0'],
    'auto_explain.log_parameter_max_length', array['-1', '-1'],
    'auto_explain.log_verbose', array['off', 'on'],
    'auto_explain.sample_rate', array['1', '1'],
    'pgaudit.log', array['none', 'all'],
    'pgaudit.log_client', array['off', 'off'],
    'pgaudit.log_level', array['log', 'log'],
    'pgaudit.log_parameter', array['off', 'on'],
    'pgaudit.log_statement', array['on', 'on'],
    'pgaudit.role', array['', '']
  );
begin
  return query
  select distinct
         format('%s %s %s, creds among them, because of %s: %s %s = %s',
                rule.who,
                case when exists (select from unnest(rule.settings) n (name) where (s.is_hidden ->> n.name)::boolean) then 'may print' else 'prints' end,
                rule.what,
                (select string_agg(s.reason ->> n.name, ' and ' order by n.position)
                   from unnest(rule.settings) with ordinality n (name, position)),
                s.way_out ->> rule.stopped_by, rule.stopped_by, rule.quiet)
    from _list_session_settings(v_settings) s
   -- Text that a level lets through; terse leaves DETAIL out of it, except in the structured logs.
   cross join lateral (
     select _is_shown('log', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages') as message,
            _is_shown('log',
                      case when s.value ->> 'log_error_verbosity' = 'terse' and s.value ->> 'log_destination' !~ 'csvlog|jsonlog' then 'panic'
                           else s.value ->> 'log_min_messages'
                      end,
                      s.value ->> 'client_min_messages') as detail,
            _is_shown(s.value ->> 'auto_explain.log_level', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages') as plan,
            case when s.value ->> 'pgaudit.log_client' in ('on', '1')
                 then _is_shown(s.value ->> 'pgaudit.log_level', s.value ->> 'log_min_messages', s.value ->> 'client_min_messages')
                 else _is_shown('log', s.value ->> 'log_min_messages', 'error')
            end as audit,
            s.value ->> 'auto_explain.log_min_duration' <> '-1' and s.value ->> 'auto_explain.sample_rate' <> '0' as explains,
            s.value ->> 'pgaudit.log_parameter' in ('on', '1') and s.value ->> 'pgaudit.log_statement' in ('on', '1') as audits,
            -- pgaudit is silent on what a function does with the rights of somebody whom the login may not become.
            s.login is null or pg_has_role(s.login, 'auth_state_owner', 'MEMBER') as audits_functions,
            'auto_explain' || case when exists (select from pg_settings g where g.name = 'auto_explain.log_verbose') then ''
                                   else ', where it is loaded,' end as auto_explain,
            'pgaudit' || case when exists (select from pg_settings g where g.name = 'pgaudit.log') then ''
                              else ', where it is loaded,' end as pgaudit
   ) is_on
   -- The last word on a class counts.
   cross join lateral (
     select (array_agg(c.word not like '-%' order by c.position desc) filter (where c.word in ('all', '-all', 'read', '-read')))[1] as reads,
            (array_agg(c.word not like '-%' order by c.position desc) filter (where c.word in ('all', '-all', 'write', '-write')))[1] as writes
       from regexp_split_to_table(translate(s.value ->> 'pgaudit.log', '" ', ''), ',') with ordinality c (word, position)
   ) class
   cross join lateral (
     values
       ('PostgreSQL', 'parameters of statements', array['log_statement'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_statement' = 'all' and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_min_duration_statement'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_min_duration_statement' <> '-1' and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_min_duration_sample'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_min_duration_sample' <> '-1' and s.value ->> 'log_statement_sample_rate' <> '0'
        and s.value ->> 'log_parameter_max_length' <> '0'),
       ('PostgreSQL', 'parameters of statements', array['log_transaction_sample_rate'], 'log_parameter_max_length', '0',
        is_on.detail and s.value ->> 'log_transaction_sample_rate' <> '0' and s.value ->> 'log_parameter_max_length' <> '0'),
       -- The client gets these even where the log does not.
       ('PostgreSQL', 'parameters with errors', array['log_parameter_max_length_on_error'], 'log_parameter_max_length_on_error', '0',
        s.value ->> 'log_parameter_max_length_on_error' <> '0'),
       ('PostgreSQL', 'values as decimal bytes', array['debug_print_plan'], 'debug_print_plan', 'off',
        is_on.detail and s.value ->> 'debug_print_plan' in ('on', '1')),
       (is_on.auto_explain, 'parameters of statements', array['auto_explain.log_min_duration'], 'auto_explain.log_parameter_max_length', '0',
        v_explains_parameters and is_on.plan and is_on.explains and s.value ->> 'auto_explain.log_parameter_max_length' <> '0'),
       (is_on.auto_explain, 'values in plans', array['auto_explain.log_min_duration', 'auto_explain.log_verbose'], 'auto_explain.log_verbose', 'off',
        is_on.plan and is_on.explains and s.value ->> 'auto_explain.log_verbose' in ('on', '1')),
       (is_on.pgaudit, 'parameters of statements', array['pgaudit.log', 'pgaudit.log_parameter'], 'pgaudit.log_parameter', 'off',
        is_on.audit and is_on.audits and (class.reads or (class.writes and is_on.audits_functions))),
       (is_on.pgaudit, 'parameters of statements', array['pgaudit.role', 'pgaudit.log_parameter'], 'pgaudit.log_parameter', 'off',
        is_on.audit and is_on.audits and is_on.audits_functions
        and exists (
          select
            from pg_roles auditor
           cross join pg_class c
           cross join lateral (
             select * from aclexplode(c.relacl)
              union all
             select x.* from pg_attribute a cross join aclexplode(a.attacl) x where a.attrelid = c.oid
           ) g
           where lower(auditor.rolname) = s.value ->> 'pgaudit.role'
             and c.relnamespace = quote_ident(current_schema())::regnamespace
             and c.relname in ('whatsapp_audit', 'whatsapp_auth', 'whatsapp_auth_history', 'whatsapp_key_ttl', 'whatsapp_keys', 'whatsapp_leases', 'whatsapp_migrations', 'whatsapp_settings', 'whatsapp_tenant_roles')
             and g.grantee <> 0 and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
             and pg_has_role(auditor.oid, g.grantee, 'USAGE')
        ))
   ) rule (who, what, settings, stopped_by, quiet, is_printing)
   where rule.is_printing
   order by 1;
end
$func$;

-- functions/_write_creds.sql
-- Behind _begin_write: version check, identity guard, write. Creds that are there already keep their version.
create or replace function _write_creds (
  p_company_id text,
  p_creds jsonb,
  p_expected_version bigint,
  p_allow_new_identity boolean,
  p_now timestamptz
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_old record;
  v_version bigint;
begin
  select a.version, a.creds, a.updated_at
    into v_old
    from whatsapp_auth a
   where a.company_id = p_company_id;
  if p_expected_version is not null and v_old.version is distinct from p_expected_version then
    raise exception using errcode = 'WA003',
      message = format('The creds of company %s are not at version %s.', to_json(p_company_id), p_expected_version),
      detail = coalesce('They are at version ' || v_old.version || '.', 'It has no creds.'),
      hint = 'Somebody else wrote them: read them again, apply the change, save with the version read.';
  end if;
  if v_old.creds = p_creds then
    return v_old.version;
  end if;
  perform _assert_identity(p_company_id, v_old.creds, p_creds, p_allow_new_identity);
  v_version := _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, p_creds, p_now, p_now);
  if v_old.creds is null then
    perform _audit(p_company_id, 'creds_created', p_now, 1);
  elsif _is_new_identity(v_old.creds, p_creds) then
    perform _audit(p_company_id, 'creds_new_identity', p_now, 1);
  end if;
  return v_version;
end
$func$;

-- functions/_write_keys.sql
-- Behind _begin_write: writes what differs, and answers how many rows that was. It looks first, one index
-- probe per id, since even an upsert that changes nothing would lock and log its row; the company's lock keeps
-- what it saw as it was.
create or replace function _write_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns integer
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $func$
declare
  v_sessions constant jsonb := p_data -> 'session';
  v_done integer := 0;
  v_good boolean;
  v_has_ttl boolean;
  v_is_there boolean;
  v_found tid[];
  v_types text[];
  v_ids text[];
  v_changed integer := 0;
  v_gone integer;
  v_stale integer;
begin
  if jsonb_typeof(p_data) is distinct from 'object' then
    perform _assert_batch(p_data, 'p_data');
  end if;
  -- Four of five batches are sessions alone, and a message changes them all: then this statement is enough.
  if jsonb_typeof(v_sessions) = 'object' and p_data - 'session' = '{}' then
    update whatsapp_keys k
       set value = v_sessions -> k.key_id,
           updated_at = p_now,
           expires_at = p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = 'session')
     where k.ctid = any(array(
             select old.ctid
               from jsonb_each(v_sessions) e
              cross join lateral (
                select o.ctid
                  from whatsapp_keys o
                 where o.company_id = p_company_id and o.key_type = 'session' and o.key_id = e.key
                   and o.value <> e.value and e.value <> 'null'
                offset 0
              ) old))
       and k.company_id || '' = p_company_id;
    get diagnostics v_done = row_count;
    if v_done = (select count(*) from jsonb_object_keys(v_sessions)) then
      return v_done;
    end if;
  end if;

  select bool_and(jsonb_typeof(t.value) = 'object' and octet_length(t.key) between 1 and 128
                  and (e.key is null or octet_length(e.key) between 1 and 1024)),
         exists (select from whatsapp_key_ttl l where p_data ? l.key_type and l.ttl is not null),
         bool_or(old.ctid is not null),
         array_agg(old.ctid) filter (where old.is_changed),
         array_agg(t.key) filter (where old.ctid is null and e.value <> 'null'),
         array_agg(e.key) filter (where old.ctid is null and e.value <> 'null'),
         count(*) filter (where old.is_gone)::integer,
         count(*) filter (where old.is_stale)::integer
    into v_good, v_has_ttl, v_is_there, v_found, v_types, v_ids, v_gone, v_stale
    from jsonb_each(p_data) t
    left join lateral jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value end) e on true
    left join lateral (
      select k.ctid,
             e.value = 'null' as is_gone,
             e.value <> 'null' and k.value <> e.value as is_changed,
             k.expires_at is not null and (k.updated_at <= p_now - interval '1 day' or k.expires_at <= p_now)
             and k.value = e.value as is_stale
        from whatsapp_keys k
       where k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key
      offset 0  -- a probe for each id, whatever the planner believes of the table
    ) old on true;

  if not v_good then
    perform _assert_batch(p_data, 'p_data');
  end if;
  if v_found is not null then
    -- By address alone: with a condition on the key a plan made without statistics reads the company instead.
    update whatsapp_keys k
       set value = p_data #> array[k.key_type, k.key_id],
           updated_at = p_now,
           expires_at = case when v_has_ttl then p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = k.key_type) end
     where k.ctid = any(v_found) and k.company_id || '' = p_company_id;
    get diagnostics v_changed = row_count;
    if v_changed < cardinality(v_found) then
      -- auth_set_ttl, which takes no company's lock, has moved a row meanwhile: look again.
      return v_done + v_changed + _write_keys(p_company_id, p_data, p_now);
    end if;
  end if;
  if v_ids is not null then
    insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
    select p_company_id, n.key_type, n.key_id, p_data #> array[n.key_type, n.key_id], p_now, p_now,
           case when v_has_ttl then p_now + (select l.ttl from whatsapp_key_ttl l where l.key_type = n.key_type) end
      from unnest(v_types, v_ids) n (key_type, key_id);
  end if;
  if v_ids is null and v_is_there is not true then
    perform _assert_policies();
  end if;
  if v_gone > 0 then
    v_gone := _delete_keys(p_company_id, p_data);
  end if;
  if v_stale > 0 then
    perform _renew_keys(p_company_id, p_data, p_now);
  end if;
  return v_done + v_changed + coalesce(cardinality(v_ids), 0) + v_gone;
end
$func$;

-- functions/auth_acquire_lease.sql
create or replace function auth_acquire_lease (
  p_company_id text,
  p_holder text,
  p_ttl interval default '60 seconds',
  p_steal boolean default false,
  p_token bigint default null
)
returns table (acquired boolean, token bigint, holder text, expires_at timestamptz)
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
as $func$
declare
  v_now timestamptz;
  v_lease record;
  v_is_taken boolean;
begin
  if p_holder is null or octet_length(p_holder) not between 1 and 256 then
    raise exception using errcode = 'WA001',
      message = 'A lease holder is a text of 1 to 256 bytes.',
      detail = format('p_holder is %s.', coalesce(octet_length(p_holder) || ' bytes', 'null')),
      hint = 'Pass a name that no other process has at the same time, like the name of the service and the machine.';
  end if;
  perform _assert_ttl(p_ttl);
  v_now := _enter_company(p_company_id);
  select l.token,
         l.holder,
         l.expires_at,
         l.retake_after,
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now) as is_live,
         l.token = p_token and l.holder = p_holder and coalesce(l.written_by = l.xmin, false)
         and _is_of_this_database(l.given_in) as is_resumed
    into v_lease
    from whatsapp_leases l
   where l.company_id = p_company_id;

  v_is_taken := v_lease.is_live and p_token is null and (v_lease.holder <> p_holder or v_lease.retake_after > v_now);
  if p_token is not null and v_lease.is_resumed is not true or v_is_taken and p_steal is not true then
    -- Who goes on asking for a lease of its own name is a second process, not one that was restarted.
    if v_lease.holder = p_holder and v_lease.retake_after < v_now + p_ttl / 2 and v_is_taken then
      update whatsapp_leases l
         set retake_after = v_now + p_ttl
       where l.company_id = p_company_id;
      perform _sign_lease(p_company_id);
    elsif v_lease.token is null then
      perform _assert_policies();
    end if;
    return query select false, null::bigint, v_lease.holder, v_lease.expires_at;
    return;
  end if;

  insert into whatsapp_leases as l (company_id, holder, token, acquired_at, expires_at, given_in, retake_after)
  values (
    p_company_id, p_holder, _next_number(v_lease.token, v_now), v_now, v_now + p_ttl, _server_history(),
    case when v_lease.is_live and v_lease.holder = p_holder then
      case when p_token is null then v_now + p_ttl else v_lease.retake_after end
    end
  )
  on conflict (company_id) do update
     set holder = excluded.holder, token = excluded.token, acquired_at = excluded.acquired_at,
         expires_at = excluded.expires_at, given_in = excluded.given_in, retake_after = excluded.retake_after;
  perform _sign_lease(p_company_id);
  if v_lease.holder is distinct from p_holder or v_is_taken then
    perform _audit(p_company_id, case when v_lease.is_live then 'lease_stolen' else 'lease_acquired' end, v_now, null,
                   case when v_lease.holder is not null then jsonb_build_object('from', v_lease.holder) end);
  end if;
  return query
  select true, l.token, l.holder, l.expires_at
    from whatsapp_leases l
   where l.company_id = p_company_id;
end
$func$;

comment on function auth_acquire_lease (text, text, interval, boolean, bigint) is $$
Takes the right to write a company, for a time. While a lease is live, every writing function of the company needs its token. One row: `acquired`, the fencing `token`, `holder` and `expires_at`. When the lease was not acquired, `acquired` is false, `token` is null, and the other two are those of the present or last lease, or null.

A token never comes back. A lease ends with the server history in which it was given: after a failover, a point-in-time recovery, a restore or a copy it is over, and the first write under it is WA002.

The same holder asking again (a restarted process) gets a new token at once, and its old one is stale. Over a live lease of its own name it does so only once in the ttl: a second process under the same name is told that its own name holds the lease, for as long as it goes on asking.

- `p_holder`: 1 to 256 bytes, a name that no other process has at the same time.
- `p_ttl`: above zero; renew with auth_renew_lease well before it is over.
- `p_steal`: take it from whoever holds it.
- `p_token`: resume. The lease is acquired only if the last one was this holder's with this token, live or not, and no writing function was called without it since. A client that holds the account in memory may then go on. After a failover it first writes again what it wrote lately.

A new holder is noted in the audit log.

Errors: WA001, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_bind_role.sql
create or replace function auth_bind_role (p_role_name name, p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_role record;
begin
  perform _assert_service();
  perform _assert_company_id(p_company_id);
  select r.rolsuper or starts_with(r.rolname, 'auth_state_') or starts_with(r.rolname, 'pg_') as is_taken,
         pg_has_role('auth_state_tenant', r.oid, 'MEMBER') as has_tenants
    into v_role
    from pg_roles r
   where r.rolname = p_role_name;
  if v_role is null then
    raise exception using errcode = 'WA001',
      message = 'There is no such role.',
      detail = format('p_role_name is %s.', coalesce(to_json(p_role_name)::text, 'null')),
      hint = 'Create it first: create role acme_bot login password ...';
  elsif v_role.is_taken or v_role.has_tenants then
    raise exception using errcode = 'WA006',
      message = format('%I cannot be confined to a company.', p_role_name),
      detail = case
        when v_role.is_taken then 'It is a superuser, or one of pg-auth-state''s own roles or PostgreSQL''s.'
        else 'auth_state_tenant is a member of it, and PostgreSQL grants no role to a member of its own.'
      end,
      hint = 'Give the tenant a login of its own: create role acme_bot login password ...';
  end if;
  perform _assert_transaction();
  -- A NOINHERIT login has the rights of it at once from PostgreSQL 16 on, before that by set role.
  if not pg_has_role(p_role_name, 'auth_state_tenant', 'USAGE') then
    execute format('grant auth_state_tenant to %I', p_role_name)
            || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true' else '' end;
  end if;
  insert into whatsapp_tenant_roles as t (role_name, company_id)
  values (p_role_name, p_company_id)
  on conflict (role_name) do update
     set company_id = excluded.company_id
   where t.company_id <> excluded.company_id;
  if found then
    perform _audit(p_company_id, 'role_bound', _now(), null, jsonb_build_object('role', p_role_name));
  end if;
end
$func$;

comment on function auth_bind_role (name, text) is $$
Confines a database login to one company, whatever else it is granted or sets, and grants it auth_state_tenant. The company need not exist yet. A role that is bound already is bound anew. A binding goes by the name of the role: it outlives the role, and so errs on the safe side.

- `p_role_name`: an existing role; no superuser, none of PostgreSQL's own, none that auth_state_tenant is a member of (WA006).
- `p_company_id`: 1 to 256 bytes.

Only for the service. Errors: WA001, WA006, 42501. Locks: the row of that role.
$$;

-- functions/auth_cleanup_job.sql
create or replace function auth_cleanup_job ()
returns jsonb
language plpgsql
stable
parallel unsafe
security invoker
set search_path from current
as $func$
declare
  -- pg_cron knows one job of a name for each login, whatever its database: where another database has the plain
  -- name, the job is called after its own. Names of pg_cron have 63 bytes.
  v_plain constant text := 'cleanup-whatsapp-keys';
  v_own constant text := v_plain || ' in '
                         || case when octet_length(current_database()) > 38 then md5(current_database()) else current_database() end;
  v_database text;
  v_job jsonb;
begin
  perform auth_schema_version();  -- it refuses what was restored without its owner
  begin
    v_database := current_setting('cron.database_name', true);
  exception
    when insufficient_privilege then
      -- Readable for pg_read_all_settings only; this is where pg_cron lives unless configured.
      v_database := 'postgres';
  end;
  if not exists (select from pg_extension e where e.extname = 'pg_cron') then
    return jsonb_build_object(
      'pg_cron', case when v_database <> current_database() then 'elsewhere' else 'absent' end,
      'cron_database', v_database);
  end if;
  if has_schema_privilege('cron', 'USAGE') then
    execute $sql$
      select jsonb_build_object('job_id', j.jobid, 'schedule', j.schedule, 'active', j.active, 'owner', j.username,
                                'last_run', r.start_time, 'last_status', r.status, 'last_message', r.return_message)
        from cron.job j
        left join lateral (
          select d.start_time, d.status, d.return_message
            from cron.job_run_details d
           where d.jobid = j.jobid
           order by d.runid desc
           limit 1
        ) r on true
       where j.jobname in ($1, $2) and j.database = current_database()
       order by j.username <> current_user, j.jobid
       limit 1
    $sql$ into v_job using v_plain, v_own;
  end if;
  return jsonb_build_object('pg_cron', 'here', 'cron_database', current_database()) || coalesce(v_job, '{}');
end
$func$;

comment on function auth_cleanup_job () is $$
How cleanup is scheduled, as the caller can see it: `{"pg_cron": "here" | "elsewhere" | "absent", "cron_database": ...}` and, where there is a job, `job_id`, `schedule`, `active`, `owner`, `last_run`, `last_status` and `last_message`.

Errors: 42501. Locks: none; works on a read replica. Runs with the caller's privileges: pg_cron shows a job to its owner and to superusers.
$$;

-- functions/auth_clear_keys.sql
create or replace function auth_clear_keys (
  p_company_id text,
  p_key_type text default null,
  p_lease_token bigint default null
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_deleted bigint;
begin
  if p_key_type is not null then
    perform _assert_key_type(p_key_type);
  end if;
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_keys k
   where k.company_id = p_company_id and (p_key_type is null or k.key_type = p_key_type);
  get diagnostics v_deleted = row_count;
  if v_deleted > 0 then
    perform _audit(p_company_id, 'keys_cleared', v_now, v_deleted, jsonb_build_object('key_type', p_key_type));
  else
    perform _assert_policies();
  end if;
  return v_deleted;
end
$func$;

comment on function auth_clear_keys (text, text, bigint) is $$
Deletes a company's keys of one type, or all of them, and returns how many. The creds stay.

- `p_key_type`: null for all types.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_configure.sql
create or replace function auth_configure (p_name text, p_value text)
returns text
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_before text;
  v_changed bigint;
begin
  perform _assert_service();
  perform _assert_setting(p_name, p_value, 'p_value');
  perform _assert_transaction();
  v_before := _setting(p_name);
  if p_value is null then
    delete from whatsapp_settings s where s.name = p_name;
  else
    insert into whatsapp_settings as s (name, value)
    select p_name, p_value
     where not exists (select from whatsapp_settings o where o.name = p_name and o.value = p_value)
    on conflict (name) do update
       set value = excluded.value;
  end if;
  get diagnostics v_changed = row_count;
  if v_changed > 0 then
    perform _audit('', 'configured', _now(), null, jsonb_build_object('setting', p_name, 'from', v_before, 'to', _setting(p_name)));
  end if;
  return v_before;
end
$func$;

comment on function auth_configure (text, text) is $$
Keeps a setting of the package in the database, for every session from its next call on, and returns the value that was in force before, the default included. Null goes back to the default. Audited.

- `p_name`: the setting.
  - `lock_wait` (5s, from 1ms to 10 minutes): how long a call waits for another one of the same company. A session may shorten it for itself with `auth_state.lock_wait` or `lock_timeout`, and can change no other setting.
  - `history_versions` (5, from 1 to 999): how many earlier versions of creds are kept.
  - `audit_retention` (90 days, at least 7): how long the audit log is kept.
  - `keep_deleted` (7 days), `keep_snapshots` (90 days), `starts_per_call` (10): kept already; the functions that will read them are not here yet.
- `p_value`: null for the default. A time is an interval of PostgreSQL; a bare number is milliseconds.

Only for the service. Errors: WA001, WA006 (isolation level), 42501. Locks: the row of that setting.
$$;

-- functions/auth_creds_history.sql
create or replace function auth_creds_history (p_company_id text)
returns table (version bigint, saved_at timestamptz, identity text)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  return query
  select h.version, h.saved_at, _identity(h.creds)
    from whatsapp_auth_history h
   where h.company_id = p_company_id
   order by h.version desc;
end
$func$;

comment on function auth_creds_history (text) is $$
The earlier creds of a company that are kept, newest first: their version, when they were saved, and a fingerprint of whose they are. Kept are the last 5 versions (the setting history_versions of auth_configure) and, for 30 days, the last version before each change of identity.

- `identity`: of the public keys of `noiseKey` and `signedIdentityKey`: equal for the same linked device, no secret. Encrypted creds carry it in their header; null for creds without those keys, and for a string without such a header.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_creds_version.sql
create or replace function auth_creds_version (p_company_id text)
returns bigint
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  return (select a.version from whatsapp_auth a where a.company_id = p_company_id);
end
$func$;

comment on function auth_creds_version (text) is $$
The version of a company's creds, or null when it has none. A version only grows, also over deletion of the company and restore of an old dump. Pass it to auth_save_creds as `p_expected_version` to save only over what you read.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_delete_company.sql
create or replace function auth_delete_company (p_company_id text, p_lease_token bigint default null)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_keys bigint;
  v_creds bigint;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_keys k where k.company_id = p_company_id;
  get diagnostics v_keys = row_count;
  delete from whatsapp_auth a where a.company_id = p_company_id;
  get diagnostics v_creds = row_count;
  delete from whatsapp_auth_history h where h.company_id = p_company_id;
  if v_keys + v_creds > 0 then
    perform _audit(p_company_id, 'company_deleted', v_now, v_keys + v_creds);
  else
    perform _assert_policies();
  end if;
  delete from whatsapp_leases l where l.company_id = p_company_id;
  return v_keys + v_creds;
end
$func$;

comment on function auth_delete_company (text, bigint) is $$
Logout: deletes everything of a company, its lease and its history included, and returns how many rows of creds and keys that was; 0 when there was nothing. The audit log keeps that it was there. The legitimate way to a new identity is this, then auth_init_creds.

- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_export.sql
create or replace function auth_export (p_company_id text)
returns jsonb
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_bytes bigint;
  v_creds jsonb;
begin
  perform _assert_company(p_company_id);
  select coalesce(sum(octet_length(k.key_id) + octet_length(k.value::text)), 0)
    into v_bytes
    from whatsapp_keys k
   where k.company_id = p_company_id;
  select a.creds into v_creds from whatsapp_auth a where a.company_id = p_company_id;
  if v_creds is not null then
    perform _assert_stored_creds(p_company_id, v_creds);
  elsif v_bytes = 0 then
    raise exception using errcode = 'WA004',
      message = format('There is no company %s.', to_json(p_company_id)),
      detail = 'It has neither creds nor a key.',
      hint = 'auth_list_companies lists those there are.';
  end if;
  if v_bytes > 128 * 1024 * 1024 then
    raise exception using errcode = '54000',
      message = format('Company %s is too large for one JSON value: %s MB.', to_json(p_company_id), v_bytes / 1024 / 1024),
      detail = 'auth_export gives up to 128 MB.',
      hint = 'Read auth_get_creds, and page through auth_list_keys type by type.';
  end if;
  return jsonb_build_object(
    'format', 1,
    'creds', v_creds,
    'creds_updated_at', (select _utc(a.updated_at) from whatsapp_auth a where a.company_id = p_company_id),
    'keys', coalesce(kept.values, '{}'),
    'times', coalesce(kept.times, '{}'))
    from (
      select jsonb_object_agg(t.key_type, t.values) as values, jsonb_object_agg(t.key_type, t.times) as times
        from (
          select k.key_type,
                 jsonb_object_agg(k.key_id, k.value) as values,
                 jsonb_object_agg(k.key_id, jsonb_build_array(_utc(k.updated_at), _utc(k.expires_at))) as times
            from whatsapp_keys k
           where k.company_id = p_company_id
           group by k.key_type
        ) t
    ) kept;
end
$func$;

comment on function auth_export (text) is $$
Everything of a company in one snapshot: `{"format": 1, "creds": ..., "creds_updated_at": ..., "keys": {type: {id: value}}, "times": {type: {id: [updated_at, expires_at]}}}`. Times are UTC text like `2026-11-23T04:55:00.123456Z`; creds and `creds_updated_at` are null when there are none. What this gives, auth_import takes.

Errors: WA001, WA004 when the company has neither creds nor a key, 54000 beyond 128 MB (page auth_list_keys instead), 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_forget_history.sql
create or replace function auth_forget_history (
  p_company_id text,
  p_kept_kid text default null,
  p_lease_token bigint default null
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_deleted bigint;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  delete from whatsapp_auth_history h
   where h.company_id = p_company_id and (p_kept_kid is null or _header(h.creds) ->> 'kid' is distinct from p_kept_kid);
  get diagnostics v_deleted = row_count;
  if v_deleted > 0 then
    perform _audit(p_company_id, 'history_forgotten', v_now, v_deleted);
  else
    perform _assert_policies();
  end if;
  return v_deleted;
end
$func$;

comment on function auth_forget_history (text, text, bigint) is $$
Deletes the earlier creds of a company that are kept, and returns how many; the present ones stay. After it there is no way back to them. For creds that must not be there any more: plain ones of an account that is encrypted now, or those under a key that is to be destroyed. Audited.

- `p_kept_kid`: encrypted creds under the key of this name stay; null for none.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_get_creds.sql
create or replace function auth_get_creds (p_company_id text)
returns jsonb
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $func$
declare
  v_creds jsonb;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  -- Refused before a row is touched: auth_get_keys says why.
  select a.creds
    into v_creds
    from whatsapp_auth a
   where a.company_id = (select case when (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) )) then p_company_id
                                     else (select p_company_id from _assert_company(p_company_id)) end);
  if v_creds is null then
    perform _assert_company(p_company_id);
  elsif (v_creds -> 'noiseKey' <> 'null' and v_creds -> 'signedIdentityKey' <> 'null') is not true then
    perform _assert_stored_creds(p_company_id, v_creds);
  end if;
  return v_creds;
end
$func$;

comment on function auth_get_creds (text) is $$
The creds of a company as they were saved, or null when it has none. Only a company that truly has none gives null; creds that no client can use are WA006.

- `p_company_id`: the account, 1 to 256 bytes.

Errors: WA001, WA006, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_get_keys.sql
create or replace function auth_get_keys (p_company_id text, p_keys jsonb)
returns json
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_result json;
  v_good boolean;
  v_asked boolean;
  v_is_there boolean;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  if jsonb_typeof(p_keys) is distinct from 'object' then
    perform _assert_key_ids(p_keys);
  end if;
  -- The plan never changes, whatever the statistics said when it was made: a probe of the primary key per id.
  -- json_object_agg appends each value as text: no second tree is built, nothing is parsed again. Who may not see
  -- the company is refused before a row of it is touched: statistics and locks of the session would tell.
  select coalesce(json_object_agg(t.key, coalesce(found.list, '{}')), '{}'),
         coalesce(bool_and(octet_length(t.key) between 1 and 128 and jsonb_typeof(t.value) = 'array'
                           and found.is_good is not false), true),
         bool_or(found.list is not null),
         bool_or(found.is_there)
    into v_result, v_good, v_asked, v_is_there
    from jsonb_each(p_keys) t
   cross join lateral (
     select json_object_agg(i.id, stored.value) as list,
            bool_and(i.is_good) as is_good,
            bool_or(stored.value is not null) as is_there
       from (
         select distinct coalesce(e.id #>> '{}', '') as id,
                jsonb_typeof(e.id) = 'string' and octet_length(e.id #>> '{}') between 1 and 1024 as is_good
           from jsonb_array_elements(case when jsonb_typeof(t.value) = 'array' then t.value else '[]' end) e (id)
       ) i
       left join lateral (
         select k.value
           from whatsapp_keys k
          where k.company_id = (select case when (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) )) then p_company_id
                                             else (select p_company_id from _assert_company(p_company_id)) end)
            and k.key_type = t.key and k.key_id = i.id
         offset 0
       ) stored on true
   ) found;
  if v_asked is not true or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if not v_good then
    perform _assert_key_ids(p_keys);
  end if;
  if v_is_there is not true then
    perform _assert_policies();
  end if;
  return v_result;
end
$func$;

comment on function auth_get_keys (text, jsonb) is $$
Keys of several types in one snapshot: `{"session": ["1.0", "2.0"]}` gives `{"session": {"1.0": {...}, "2.0": null}}`. Every requested id comes back once, null when it is not there. A key past its expiry is readable until cleanup removes it.

- `p_keys`: a JSON object of key types (1 to 128 bytes), each an array of key ids (1 to 1024 bytes). `{}` and `[]` are valid.

Errors: WA001 with the path at fault, 42501. Locks: none; works on a read replica.
$$;

create or replace function auth_get_keys (p_company_id text, p_key_type text, p_key_ids text[])
returns json
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_result json;
  v_value jsonb;
  v_good boolean;
  v_is_there boolean;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  if cardinality(p_key_ids) = 1 and p_key_ids[1] is not null then
    -- Most reads of Baileys are of one id: a plan without join, array and aggregate.
    select k.value
      into v_value
      from whatsapp_keys k
     where k.company_id = (select case when (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) )) then p_company_id
                                       else (select p_company_id from _assert_company(p_company_id)) end)
       and k.key_type = p_key_type and k.key_id = p_key_ids[1];
    v_result := json_build_object(p_key_ids[1], v_value);
    v_good := octet_length(p_key_ids[1]) between 1 and 1024;
    v_is_there := v_value is not null;
  else
    select json_object_agg(i.id, stored.value), bool_and(octet_length(i.id) between 1 and 1024), bool_or(stored.value is not null)
      into v_result, v_good, v_is_there
      from (select distinct coalesce(u.id, '') as id from unnest(p_key_ids) u (id)) i
      left join lateral (
        select k.value
          from whatsapp_keys k
         where k.company_id = (select case when (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) )) then p_company_id
                                           else (select p_company_id from _assert_company(p_company_id)) end)
           and k.key_type = p_key_type and k.key_id = i.id
        offset 0
      ) stored on true;
  end if;
  -- Where nothing was looked for, nothing was asked yet.
  if p_key_ids is null or p_key_ids = '{}' or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if p_key_ids is null or v_good is false or octet_length(p_key_type) between 1 and 128 is not true then
    perform _assert_key_type(p_key_type);
    raise exception using errcode = 'WA001',
      message = 'Keys are asked for by an array of key ids of 1 to 1024 bytes.',
      detail = coalesce(
        (select format('p_key_ids[%s] is %s.', i.position, coalesce(octet_length(i.id) || ' bytes', 'null'))
           from unnest(p_key_ids) with ordinality i (id, position)
          where octet_length(i.id) between 1 and 1024 is not true
          limit 1), 'p_key_ids is null.'),
      hint = 'Like array[''1.0'', ''2.0''].';
  end if;
  if v_is_there is not true then
    perform _assert_policies();
  end if;
  return coalesce(v_result, '{}');
end
$func$;

comment on function auth_get_keys (text, text, text[]) is $$
Keys of one type in one snapshot: `auth_get_keys('962302', 'session', '{1.0,2.0}')` gives `{"1.0": {...}, "2.0": null}`. Every requested id comes back once, null when it is not there.

- `p_key_type`: 1 to 128 bytes.
- `p_key_ids`: key ids of 1 to 1024 bytes, none null. An empty array gives `{}`.

Errors: WA001 with the path at fault, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_import.sql
create or replace function auth_import (
  p_company_id text,
  p_state jsonb,
  p_mode text default 'new',
  p_lease_token bigint default null,
  p_allow_new_identity boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
set jit = off
as $func$
declare
  v_now timestamptz;
  v_creds constant jsonb := nullif(p_state -> 'creds', 'null');
  v_old record;
  v_creds_at timestamptz;
  v_written bigint := 0::bigint;
  v_rows bigint;
begin
  perform _assert_state(p_state);
  if p_mode is null or p_mode not in ('new', 'merge', 'replace') then
    raise exception using errcode = 'WA001',
      message = 'The mode of an import is new, merge or replace.',
      detail = 'p_mode is none of them.',
      hint = 'new refuses a company that exists, merge adds only what is missing, replace leaves what is in p_state.';
  end if;
  v_now := _begin_write(p_company_id, p_lease_token);
  v_creds_at := least(coalesce(_from_utc(p_state ->> 'creds_updated_at'), v_now), v_now);
  select a.version, a.creds, a.updated_at
    into v_old
    from whatsapp_auth a
   where a.company_id = p_company_id;

  if p_mode = 'new'
     and (v_old.version is not null or exists (select from whatsapp_keys k where k.company_id = p_company_id)) then
    raise exception using errcode = 'WA006',
      message = format('Company %s exists already.', to_json(p_company_id)),
      detail = 'Mode new imports into a company that has neither creds nor keys. Nothing was written.',
      hint = 'Mode merge adds what is missing, mode replace leaves only what is imported.';
  end if;

  if p_mode = 'merge' and v_old.version is not null then
    perform _assert_stored_creds(p_company_id, v_old.creds);
  end if;
  if p_mode = 'replace' then
    if v_old.creds is distinct from v_creds then
      perform _assert_identity(p_company_id, v_old.creds, v_creds, p_allow_new_identity);
    end if;
    with kept as materialized (
      select t.key as key_type, e.id as key_id
        from jsonb_each(p_state -> 'keys') t
       cross join lateral jsonb_object_keys(t.value) e (id)
    )
    delete from whatsapp_keys k
     where k.company_id = p_company_id
       and not exists (select from kept s where s.key_type = k.key_type and s.key_id = k.key_id);
    if v_creds is null then
      perform _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, null, v_creds_at, v_now);
    end if;
  end if;

  if v_creds is not null and (v_old.version is null or p_mode = 'replace')
     and (v_old.creds, v_old.updated_at) is distinct from (v_creds, v_creds_at) then
    perform _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, v_creds, v_creds_at, v_now);
    v_written := 1;
  end if;

  -- Looks first, as _write_keys does: an upsert that changes nothing would lock and log its row.
  with given as materialized (
    select t.key as key_type, e.key as key_id, e.value, at.updated_at, at.updated_at + l.ttl as expires_at,
           kept.value is null as is_missing,
           (kept.value, kept.updated_at) is distinct from (e.value, at.updated_at) as is_changed
      from jsonb_each(p_state -> 'keys') t
      left join whatsapp_key_ttl l on l.key_type = t.key
     cross join lateral jsonb_each(t.value) e
     cross join lateral (
       select least(coalesce((p_state #>> array['times', t.key, e.key, '0'])::timestamptz, v_now), v_now) as updated_at
       offset 0
     ) at
      left join lateral (
        select k.value, k.updated_at
          from whatsapp_keys k
         where p_mode <> 'new' and k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key
        offset 0
      ) kept on true
  ),
  replaced as (
    update whatsapp_keys k
       set value = g.value, updated_at = g.updated_at, expires_at = g.expires_at
      from given g
     where p_mode = 'replace' and g.is_changed and not g.is_missing
       and k.company_id = p_company_id and k.key_type = g.key_type and k.key_id = g.key_id
    returning k.key_id
  ),
  added as (
    insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
    select p_company_id, g.key_type, g.key_id, g.value, v_now, g.updated_at, g.expires_at
      from given g
     where g.is_missing
    returning key_id
  )
  select (select count(*) from replaced) + (select count(*) from added) into v_rows;
  if v_written + v_rows > 0 then
    perform _audit(p_company_id, 'imported', v_now, v_written + v_rows, jsonb_build_object('mode', p_mode));
    if p_mode = 'replace' and v_old.creds is not null and _is_new_identity(v_old.creds, v_creds) then
      perform _audit(p_company_id, 'creds_new_identity', v_now, 1);
    end if;
  else
    perform _assert_policies();
  end if;
  return v_written + v_rows;
end
$func$;

comment on function auth_import (text, jsonb, text, bigint, boolean) is $$
Writes what auth_export gave, times included, and returns how many rows of creds and keys it wrote. A second export is equal to the first. An account beyond one JSON value goes in by mode new and then merge, chunk by chunk in one transaction.

- `p_state`: `{"format": 1, "creds": ..., "creds_updated_at": ..., "keys": {type: {id: value}}, "times": {type: {id: [updated_at, ...]}}}`; creds and times may be left out, a time in the future counts as now. Expiry follows from `updated_at` and the ttl of this database.
- `p_mode`: `new` refuses a company that exists (WA006), `merge` adds only what is missing, `replace` leaves nothing but what is imported and goes through the identity guard.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.
- `p_allow_new_identity`: as in auth_save_creds.

Errors: WA001 with the path at fault, WA002, WA005, WA006, 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_init_creds.sql
create or replace function auth_init_creds (
  p_company_id text,
  p_creds jsonb,
  p_lease_token bigint default null
)
returns jsonb
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_creds jsonb;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  select a.creds into v_creds from whatsapp_auth a where a.company_id = p_company_id;
  if v_creds is null then
    perform _write_creds(p_company_id, p_creds, null, false, v_now);
    return p_creds;
  end if;
  perform _assert_stored_creds(p_company_id, v_creds);
  return v_creds;
end
$func$;

comment on function auth_init_creds (text, jsonb, bigint) is $$
Stores `p_creds` only if the company has none, and returns the creds that won: yours, or the ones that were there. Two processes that start together end with the same identity.

- `p_creds`: a JSON object with `noiseKey` and `signedIdentityKey`, or a string, the JWE that an encrypting client made of one.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA006 (isolation level, stored creds that no client can use), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_list_audit.sql
create or replace function auth_list_audit (
  p_company_id text default null,
  p_before timestamptz default null,
  p_limit integer default 1000
)
returns table (
  at timestamptz,
  company_id text,
  action text,
  login name,
  on_behalf_of text,
  role name,
  application_name text,
  holder text,
  rows bigint,
  details jsonb
)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_company constant text := _listed(p_company_id, true);
begin
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select a.at, nullif(a.company_id, ''), a.action, a.login, a.on_behalf_of, a.role, a.application_name, a.holder, a.rows, a.details
    from whatsapp_audit a
   where (v_company is null or a.company_id = v_company) and a.at < coalesce(p_before, 'infinity')
   order by a.at desc
   fetch first p_limit rows with ties;
end
$func$;

comment on function auth_list_audit (text, timestamptz, integer) is $$
The audit log, newest first: when, which company (null: none in particular), what, who (`login` is session_user, `on_behalf_of` for whom a service or a proxy said it acts by `set auth_state.on_behalf_of`, `role` the one that was set), from which application, under whose lease, how many rows, and `details`. Never a key id or a value. Kept for 90 days, or as long as the setting audit_retention of auth_configure says.

Actions: creds_created, creds_new_identity, creds_restored, history_forgotten, imported, keys_cleared, company_deleted, lease_acquired (by somebody new), lease_stolen, lease_released, ttl_changed, role_bound, role_unbound, configured, cleanup. Of one company and action, 100 events in a day get a row; `details` of the last one counts the others as `repeated`, `until` when.

- `p_company_id`: null for all that the caller may see.
- `p_before`: events older than this; for the next page the `at` of the last row.
- `p_limit`: rows of a page, one or more; events of the same instant are not torn apart.

For the service and for auth_state_monitor. Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_list_companies.sql
create or replace function auth_list_companies (p_after text default null, p_limit integer default 1000)
returns table (company_id text, version bigint, keys bigint, updated_at timestamptz)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_company constant text := _listed(null, false);
begin
  perform _assert_positive(p_limit, 'p_limit');
  -- From each company to the next by two index probes, however many keys lie between them.
  return query
  with recursive company (id) as (
    select least((select min(a.company_id) from whatsapp_auth a
                   where a.company_id > coalesce(p_after, '') and (v_company is null or a.company_id = v_company)),
                 (select min(k.company_id) from whatsapp_keys k
                   where k.company_id > coalesce(p_after, '') and (v_company is null or k.company_id = v_company)))
    union all
    select least((select min(a.company_id) from whatsapp_auth a where a.company_id > c.id),
                 (select min(k.company_id) from whatsapp_keys k where k.company_id > c.id))
      from company c
     where c.id is not null and v_company is null
  ),
  page as materialized (
    select c.id from company c where c.id is not null limit p_limit
  )
  select p.id, a.version, kept.keys, greatest(a.updated_at, kept.updated_at)
    from page p
    left join whatsapp_auth a on a.company_id = p.id
   cross join lateral (
     select count(*) as keys, max(k.updated_at) as updated_at
       from whatsapp_keys k
      where k.company_id = p.id
   ) kept
   order by p.id;
end
$func$;

comment on function auth_list_companies (text, integer) is $$
One page of the companies, in byte order of their ids: the version of their creds (null: none), how many keys they have, and when anything of theirs last changed. A company exists if it has creds or any key. A service that is confined to one company sees that one.

- `p_after`: list companies greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_list_keys.sql
create or replace function auth_list_keys (
  p_company_id text,
  p_key_type text,
  p_after text default null,
  p_limit integer default 1000,
  p_values boolean default true
)
returns table (key_id text, value jsonb, updated_at timestamptz, expires_at timestamptz)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  perform _assert_key_type(p_key_type);
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select k.key_id, case when p_values then k.value end, k.updated_at, k.expires_at
    from whatsapp_keys k
   where k.company_id = p_company_id and k.key_type = p_key_type and k.key_id > coalesce(p_after, '')
   order by k.key_id
   limit p_limit;
end
$func$;

comment on function auth_list_keys (text, text, text, integer, boolean) is $$
One page of a company's keys of one type, in byte order of their ids. The next page begins after the last id of this one.

- `p_after`: list ids greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.
- `p_values`: false leaves `value` null and reads ids and times only.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_list_leases.sql
create or replace function auth_list_leases (p_after text default null, p_limit integer default 1000)
returns table (company_id text, holder text, acquired_at timestamptz, expires_at timestamptz, is_live boolean)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_company constant text := _listed(null, true);
  v_now constant timestamptz := _now();
begin
  perform _assert_positive(p_limit, 'p_limit');
  return query
  select l.company_id, l.holder, l.acquired_at, l.expires_at, 
         _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now)
    from whatsapp_leases l
   where l.company_id > coalesce(p_after, '') and (v_company is null or l.company_id = v_company)
   order by l.company_id
   limit p_limit;
end
$func$;

comment on function auth_list_leases (text, integer) is $$
One page of the leases the caller may see, by company in byte order: who holds each, since when, until when, and whether it is live; on a standby as its primary has it; for about a day also who held it last. Never a token.

- `p_after`: list companies greater than this one; null begins at the first.
- `p_limit`: rows at most, one or more.

For the service and for auth_state_monitor. Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_release_lease.sql
create or replace function auth_release_lease (p_company_id text, p_token bigint)
returns boolean
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  perform _assert_token(p_token);
  v_now := _enter_company(p_company_id);
  -- Before, while it names the holder. The row stays, ended, so that the next token is greater than this one.
  perform _audit(p_company_id, 'lease_released', v_now, null)
     from whatsapp_leases l
    where l.company_id = p_company_id and l.token = p_token
      and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now);
  update whatsapp_leases l
     set expires_at = v_now
   where l.company_id = p_company_id and l.token = p_token
     and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now);
  if not found then
    perform _assert_policies();
    return false;
  end if;
  perform _sign_lease(p_company_id);
  return true;
end
$func$;

comment on function auth_release_lease (text, bigint) is $$
Gives a lease back at once. True when it was this token's and live, false when it had been lost already.

Errors: WA001, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_renew_lease.sql
create or replace function auth_renew_lease (
  p_company_id text,
  p_token bigint,
  p_ttl interval default '60 seconds'
)
returns timestamptz
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
as $func$
declare
  v_now timestamptz;
  v_expires_at timestamptz;
begin
  perform _assert_token(p_token);
  perform _assert_ttl(p_ttl);
  v_now := _begin_write(p_company_id, p_token);
  update whatsapp_leases l
     set expires_at = v_now + p_ttl
   where l.company_id = p_company_id
  returning l.expires_at into v_expires_at;
  perform _sign_lease(p_company_id);
  return v_expires_at;
end
$func$;

comment on function auth_renew_lease (text, bigint, interval) is $$
Keeps a live lease for another `p_ttl` from now, and returns when it will end. A lease that lapsed is lost, even if nobody took it: WA002. So is one that was given in another server history (a failover, a restore): the DETAIL says so.

Errors: WA001, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_restore_creds.sql
create or replace function auth_restore_creds (p_company_id text, p_version bigint, p_lease_token bigint default null)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_old record;
  v_creds jsonb;
  v_version bigint;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  select h.creds
    into v_creds
    from whatsapp_auth_history h
   where h.company_id = p_company_id and h.version = p_version;
  if v_creds is null then
    perform _assert_policies();
    raise exception using errcode = 'WA004',
      message = format('Company %s has no earlier creds of version %s.', to_json(p_company_id), coalesce(p_version::text, 'null')),
      detail = 'It never had, they are the present ones, or they are not kept any more.',
      hint = 'auth_creds_history lists those there are.';
  end if;
  perform _assert_creds(v_creds, 'creds', 'No client can use creds of that version. auth_creds_history lists the others.');
  select a.version, a.creds, a.updated_at into v_old from whatsapp_auth a where a.company_id = p_company_id;
  v_version := _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, v_creds, v_now, v_now, true);
  perform _audit(p_company_id, 'creds_restored', v_now, 1, jsonb_build_object('version', p_version));
  return v_version;
end
$func$;

comment on function auth_restore_creds (text, bigint, bigint) is $$
Puts earlier creds of a company back, as a new version, and returns that version; the ones they replace go into the history. The only writer that the identity guard does not stop. Audited.

It restores creds, not ratchets: sessions and sender keys stay as they are now, and messages that the restored identity can no longer read are lost. Meant for creds that were overwritten by mistake; after a logout on the phone they are of no use, and the account is paired anew.

- `p_version`: one that auth_creds_history lists.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA004, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_save_creds.sql
create or replace function auth_save_creds (
  p_company_id text,
  p_creds jsonb,
  p_expected_version bigint default null,
  p_lease_token bigint default null,
  p_allow_new_identity boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  return _write_creds(p_company_id, p_creds, p_expected_version, p_allow_new_identity, v_now);
end
$func$;

comment on function auth_save_creds (text, jsonb, bigint, bigint, boolean) is $$
Saves the creds of a company whole and returns their version. Unchanged creds keep theirs, and nothing is written.

- `p_creds`: a JSON object with `noiseKey` and `signedIdentityKey`, or a string, the JWE that an encrypting client made of one.
- `p_expected_version`: save only if the stored creds are at this version, otherwise WA003.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.
- `p_allow_new_identity`: paired creds (`account`, or a `me.id` with a device) are not replaced by ones whose `noiseKey` or `signedIdentityKey` differs or is missing: WA005. Encrypted ones tell both in their header, and a string without one is no identity. True lifts that.

Errors: WA001, WA002, WA003, WA005, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_save_state.sql
create or replace function auth_save_state (
  p_company_id text,
  p_creds jsonb,
  p_data jsonb,
  p_lease_token bigint default null,
  p_expected_version bigint default null,
  p_allow_new_identity boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_version bigint;
begin
  perform _assert_creds(p_creds, 'p_creds');
  v_now := _begin_write(p_company_id, p_lease_token);
  v_version := _write_creds(p_company_id, p_creds, p_expected_version, p_allow_new_identity, v_now);
  perform _write_keys(p_company_id, p_data, v_now);
  return v_version;
end
$func$;

comment on function auth_save_state (text, jsonb, jsonb, bigint, bigint, boolean) is $$
Saves creds and a batch of keys, all or nothing, and returns the version of the creds.

- `p_creds`, `p_expected_version`, `p_allow_new_identity`: as in auth_save_creds.
- `p_data`: as in auth_set_keys.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001 with the path at fault, WA002, WA003, WA005, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_schedule_cleanup.sql
create or replace function auth_schedule_cleanup (p_schedule text default '0 */6 * * *')
returns bigint
language plpgsql
volatile
parallel unsafe
security invoker
set search_path from current
as $func$
declare
  v_plain constant text := 'cleanup-whatsapp-keys';
  v_own constant text := v_plain || ' in '
                         || case when octet_length(current_database()) > 38 then md5(current_database()) else current_database() end;
  -- Also for a login whose transactions are of another isolation level.
  v_command constant text := format(
    'do %L', format('begin loop commit; set transaction isolation level read committed; '
                    'exit when %I.cleanup_expired_keys() = 0; end loop; end', current_schema()));
  v_cron constant jsonb := auth_cleanup_job();
  v_name text;
  v_is_taken boolean;
  v_other text;
  v_job bigint;
begin
  if p_schedule is null or p_schedule = '' then
    raise exception using errcode = 'WA001',
      message = 'A schedule is needed.',
      detail = 'p_schedule is null or empty.',
      hint = 'Like ''0 */6 * * *'', in the cron.timezone of the server.';
  end if;
  -- The job runs as its owner: whoever may not do the work may not schedule it.
  perform cleanup_expired_keys(1, true);

  if v_cron ->> 'pg_cron' = 'elsewhere' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron lives in another database.',
      detail = format('Run the statement of the hint in database %I, as the login that is to run the job and may execute '
                      'cron.schedule_in_database. No row back: another login has a job for this database already.',
                      v_cron ->> 'cron_database'),
      -- pg_cron would silently turn another database's job of this name into ours.
      hint = format('select cron.schedule_in_database(coalesce('
                    '(select min(jobname::text) from cron.job where jobname in (%1$L, %2$L) and database = %5$L and username = current_user), '
                    '(select min(%2$L) from cron.job where jobname = %1$L), %1$L), %3$L, %4$L, %5$L)'
                    ' where not exists (select from cron.job where jobname in (%1$L, %2$L) and database = %5$L'
                    ' and username <> current_user)',
                    v_plain, v_own, p_schedule, v_command, current_database());
  elsif v_cron ->> 'pg_cron' = 'absent' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron is not installed in this database.',
      detail = format('Where the server has it: create extension pg_cron; select %I.auth_schedule_cleanup(%L)', current_schema(), p_schedule),
      hint = format('From any scheduler, again until it gives 0: select %I.cleanup_expired_keys(); as a service: pg-auth-state cleanup --every 6h', current_schema());
  end if;

  if not (select r.rolcanlogin from pg_roles r where r.rolname = current_user) then
    raise exception using errcode = 'WA006',
      message = format('%I cannot log in, so a job of its own would never run.', current_user),
      detail = 'pg_cron runs a job as the role that scheduled it.',
      hint = 'reset role, and call it as a login that has been granted auth_state_service.';
  end if;
  if not has_schema_privilege('cron', 'USAGE') then
    raise exception using errcode = 'WA006',
      message = format('%I may not use pg_cron.', current_user),
      detail = 'USAGE of schema cron is missing.',
      hint = format('As a superuser: grant usage on schema cron to %I', current_user);
  end if;
  execute $sql$
    select min(j.jobname::text) filter (where j.database = current_database() and j.username = current_user),
           bool_or(j.jobname = $1 and j.database <> current_database()),
           min(format('job %s of %I in database %I', j.jobid, j.username, j.database))
             filter (where j.database = current_database() and j.username <> current_user)
      from cron.job j
     where j.jobname in ($1, $2)
  $sql$ into v_name, v_is_taken, v_other using v_plain, v_own;
  if v_other is not null then
    raise exception using errcode = 'WA006',
      message = 'Another login has a job for the cleanup of this database.',
      detail = v_other,
      hint = 'Have its owner run auth_unschedule_cleanup, or cron.unschedule, first.';
  end if;
  execute 'select cron.schedule($1, $2, $3)'
     into v_job
    using coalesce(v_name, case when v_is_taken then v_own else v_plain end), p_schedule, v_command;
  return v_job;
end
$func$;

comment on function auth_schedule_cleanup (text) is $$
Has pg_cron run the cleanup, batch by batch with a commit after each, as a job of the caller, and returns the job's id. The job is called `cleanup-whatsapp-keys`, or, where another database of the server has that name, `cleanup-whatsapp-keys in <database>` (the MD5 of a name beyond 38 bytes). Calling it again changes the schedule of the same job.

- `p_schedule`: a cron expression, in the server's `cron.timezone` (GMT unless set).

Errors: WA001; WA006 where pg_cron is absent, or lives in another database (the HINT is the exact statement to run there), or the caller cannot log in or use pg_cron, or another login has a job for this database; 42501. Locks: none of ours. Runs with the caller's privileges.
$$;

-- functions/auth_schema_version.sql
create or replace function auth_schema_version ()
returns text
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_session();
  return '0.1.0';
end
$func$;

comment on function auth_schema_version () is $$
The version of pg-auth-state that is installed, like 0.1.0.

Errors: WA006 after a restore without owners. Locks: none; works on a read replica.
$$;

-- functions/auth_set_keys.sql
create or replace function auth_set_keys (
  p_company_id text,
  p_data jsonb,
  p_lease_token bigint default null
)
returns integer
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  return _write_keys(p_company_id, p_data, v_now);
end
$func$;

comment on function auth_set_keys (text, jsonb, bigint) is $$
Writes a batch of keys, all or none, and returns how many rows really changed: `{"session": {"1.0": {...}}, "pre-key": {"7": null}}`; null deletes. A value that is there already writes no row and is not counted; where its type has a ttl it is renewed, at most once a day.

- `p_data`: a JSON object of key types (1 to 128 bytes), each an object of key ids (1 to 1024 bytes) and values, any JSON. Kept as sent, up to what jsonb normalises.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001 with the path at fault, WA002, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;

-- functions/auth_set_ttl.sql
create or replace function auth_set_ttl (p_key_type text, p_ttl interval, p_force boolean default false)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_changed bigint;
  v_is_new boolean;
begin
  perform _assert_service();
  perform _assert_key_type(p_key_type);
  if p_ttl is not null then
    perform _assert_ttl(p_ttl);
  end if;
  if p_ttl is not null and p_force is not true
     and p_key_type in ('creds', 'app-state-sync-key', 'pre-key', 'session', 'sender-key') then
    raise exception using errcode = 'WA006',
      message = format('Keys of type %s are not to expire: losing them breaks an account.', p_key_type),
      detail = 'app-state-sync-key costs the account or a full resync, pre-key an undecryptable first message, session and sender-key a burst of retries that risks a ban.',
      hint = 'p_force => true, if that is what you want.';
  end if;
  perform _assert_transaction();
  if not pg_try_advisory_xact_lock(_ttl_lock_key()) then
    perform _wait_for_lock(_ttl_lock_key(), 'The cleanup');
  end if;
  insert into whatsapp_key_ttl as t (key_type, ttl, changed_at)
  values (p_key_type, p_ttl, _now())
  on conflict (key_type) do update
     set ttl = excluded.ttl, changed_at = excluded.changed_at
   where t.ttl is distinct from excluded.ttl;
  v_is_new := found;
  v_changed := _apply_ttl(p_key_type, p_ttl);
  if v_is_new or v_changed > 0 then
    perform _audit('', 'ttl_changed', _now(), v_changed, jsonb_build_object('key_type', p_key_type, 'ttl', p_ttl));
  end if;
  return v_changed;
end
$func$;

comment on function auth_set_ttl (text, interval, boolean) is $$
Sets how long keys of a type live without being written, brings the expiry of existing rows along, and returns how many rows that changed. Always `expires_at = updated_at + ttl`.

- `p_key_type`: 1 to 128 bytes, known or not.
- `p_ttl`: above zero and up to 1000 years; null: never expires.
- `p_force`: types whose loss breaks an account (app-state-sync-key, pre-key, session, sender-key) are refused with WA006 without it.

Reads the whole key table. Rows that a writer holds at that moment are not waited for: they follow with their next write, or with the next cleanup that finds nothing to remove.

Errors: WA001, WA006, 42501, 55P03. Locks: changed rows until the transaction ends, and a writer that changes one of them waits for that: keep the transaction short. Waits for a cleanup batch that is under way.
$$;

-- functions/auth_stats.sql
create or replace function auth_stats (p_company_id text default null)
returns table (
  company_id text,
  key_type text,
  keys bigint,
  bytes bigint,
  largest bigint,
  oldest timestamptz,
  newest timestamptz,
  expired bigint
)
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_now constant timestamptz := _now();
  v_company constant text := _listed(p_company_id, true);
begin
  return query
  select k.company_id,
         k.key_type,
         count(*),
         sum(pg_column_size(k.value)),
         max(pg_column_size(k.value))::bigint,
         min(k.updated_at),
         max(k.updated_at),
         count(*) filter (where k.expires_at <= v_now)
    from whatsapp_keys k
   where v_company is null or k.company_id = v_company
   group by k.company_id, k.key_type
   order by k.company_id, k.key_type;
end
$func$;

comment on function auth_stats (text) is $$
How much is kept, by company and key type: number of keys, bytes as stored (compressed), the largest value, the oldest and newest `updated_at`, and how many are past their expiry. Never a value.

- `p_company_id`: null for all that the caller may see, which reads the whole key table.

For auth_state_monitor too.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_status.sql
create or replace function auth_status ()
returns jsonb
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set jit = off
as $func$
declare
  v_now constant timestamptz := _now();
begin
  perform _assert_service();
  return jsonb_build_object(
    'version', auth_schema_version(),
    'schema', current_schema(),
    'server', current_setting('server_version'),
    'accounts', (
      select count(*)
        from (select a.company_id from whatsapp_auth a union select k.company_id from whatsapp_keys k) c
    ),
    'paired', (select count(*) from whatsapp_auth a where _is_paired(a.creds)),
    'encrypted', (select count(*) from whatsapp_auth a where jsonb_typeof(a.creds) = 'string'),
    'live_leases', (select count(*) from whatsapp_leases l
                    where _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now)),
    'keys', (
      select coalesce(jsonb_agg(to_jsonb(t) order by t.key_type), '[]')
        from (
          select k.key_type,
                 count(*) as keys,
                 sum(pg_column_size(k.value)) as bytes,
                 max(pg_column_size(k.value)) as largest,
                 count(*) filter (where k.expires_at <= v_now) as expired,
                 count(*) filter (where k.expires_at > v_now and k.expires_at <= v_now + interval '1 day') as expiring,
                 (select l.ttl from whatsapp_key_ttl l where l.key_type = k.key_type) as ttl
            from whatsapp_keys k
           group by k.key_type
        ) t
    ),
    'relation_bytes', pg_total_relation_size('whatsapp_auth') + pg_total_relation_size('whatsapp_keys'),
    'warnings', (select coalesce(jsonb_agg(w.text), '[]') from _list_status_warnings() w (text))
  );
end
$func$;

comment on function auth_status () is $$
One look at the whole store: `version`, `schema`, `server`, `accounts`, `paired`, `encrypted` (by their creds), `live_leases`, `keys` (by type: `keys`, `bytes` as stored, `largest`, `expired`, `expiring` within a day, `ttl`), `relation_bytes` on disk, and `warnings`, sentences with the way out: settings of the server, this database or a role that print creds or values or may lose acknowledged writes, roles that can become the owner or change the functions, and parts of the install that are missing or belong to somebody else. Reads the whole key table.

Errors: 42501. Locks: none; works on a read replica.
$$;

-- functions/auth_unbind_role.sql
create or replace function auth_unbind_role (p_role_name name)
returns boolean
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set lock_timeout = '5s'
as $func$
declare
  v_company text;
begin
  perform _assert_service();
  perform _assert_transaction();
  delete from whatsapp_tenant_roles t
   where t.role_name = p_role_name
  returning t.company_id into v_company;
  if v_company is null then
    return false;
  end if;
  perform _audit(v_company, 'role_unbound', _now(), null, jsonb_build_object('role', p_role_name));
  return true;
end
$func$;

comment on function auth_unbind_role (name) is $$
Ends what auth_bind_role began for `p_role_name`; true when it was bound. From then on the role is what its grants make it: auth_state_tenant, which it keeps, opens nothing by itself, but a login that has auth_state_service too acts for every company again.

Only for the service. Errors: 42501, WA006 (isolation level). Locks: the row of that role.
$$;

-- functions/auth_unschedule_cleanup.sql
create or replace function auth_unschedule_cleanup ()
returns boolean
language plpgsql
volatile
parallel unsafe
security invoker
set search_path from current
as $func$
declare
  v_plain constant text := 'cleanup-whatsapp-keys';
  v_own constant text := v_plain || ' in '
                         || case when octet_length(current_database()) > 38 then md5(current_database()) else current_database() end;
  v_cron constant jsonb := auth_cleanup_job();
  v_done boolean;
begin
  if v_cron ->> 'pg_cron' = 'elsewhere' then
    raise exception using errcode = 'WA006',
      message = 'pg_cron lives in another database.',
      detail = format('Run the statement of the hint in database %I, as the login the job belongs to.', v_cron ->> 'cron_database'),
      hint = format('select cron.unschedule(jobid) from cron.job where jobname in (%L, %L) and database = %L',
                    v_plain, v_own, current_database());
  elsif v_cron ->> 'job_id' is null then
    return false;
  end if;
  execute 'select cron.unschedule($1)' into v_done using (v_cron ->> 'job_id')::bigint;
  return v_done;
end
$func$;

comment on function auth_unschedule_cleanup () is $$
Removes the pg_cron job that auth_schedule_cleanup made for this database. True when there was one that the caller can see, false otherwise.

Errors: WA006 where pg_cron lives in another database (the HINT is the exact statement to run there), 42501. Locks: none of ours. Runs with the caller's privileges.
$$;

-- functions/cleanup_expired_keys.sql
create or replace function cleanup_expired_keys (
  p_batch_size integer default 10000,
  p_dry_run boolean default false,
  p_company_id text default null
)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
set timezone = 'UTC'
as $func$
declare
  v_now timestamptz;
  v_removed bigint;
begin
  if p_company_id is null then
    perform _assert_service();
  else
    perform _assert_company(p_company_id);
  end if;
  perform _assert_positive(p_batch_size, 'p_batch_size');
  if p_dry_run is distinct from false then
    return _remove_expired_keys(_now(), p_batch_size, true, p_company_id);
  end if;
  perform _assert_transaction();
  if not pg_try_advisory_xact_lock_shared(_ttl_lock_key()) then
    return 0::bigint;
  end if;
  v_now := _now();
  v_removed := _remove_expired_keys(v_now, p_batch_size, false, p_company_id);
  if v_removed > 0 then
    perform _audit(coalesce(p_company_id, ''), 'cleanup', v_now, v_removed);
  elsif p_company_id is null then
    perform _tidy_up(v_now);
  end if;
  return v_removed;
end
$func$;

comment on function cleanup_expired_keys (integer, boolean, text) is $$
Removes keys past their expiry and returns how many, at most `p_batch_size`: call it again, each time in a transaction of its own, until it returns 0. Companies are taken in the order of their oldest expired key, so many in a call that about 2000 keys are looked at, and a large one whole: a writer waits for no more than that. A LID mapping is never removed while the company has a session for either side of the pair: the pair is renewed instead, which does not count. A company under a live lease loses nothing: its holder keeps the keys in memory. Both halves of a pair go together, so a batch of one removes none. A mapping that cannot be read (encrypted) is never removed. Once nothing is left to remove, leases long over, audit rows past the setting audit_retention (90 days) and creds history past its time go, too.

- `p_batch_size`: one or more.
- `p_dry_run`: true removes nothing and returns how many calls until 0 would remove, `p_batch_size` at most.
- `p_company_id`: this company only; null for all.

Errors: WA001, WA006 (isolation level), 42501, 55P03 (the table stayed locked). Locks: each company's, by a try: a busy company is skipped and its keys go another time; of those that lose keys until the transaction ends, up to 1100 at once, of the others while they are looked at. A writer that changes a mapping which is being renewed waits for the call to end. Returns 0 while auth_set_ttl is at work.
$$;

-- sql/900_grants_and_comments.sql
-- Values must not end up in pg_stats.
alter table whatsapp_auth alter column creds set statistics 0;
alter table whatsapp_auth_history alter column creds set statistics 0;
alter table whatsapp_keys alter column value set statistics 0;

-- Deny by default: whatever somebody or a platform's default privileges granted goes first. Each function is
-- for the service; a tenant has those of its company, a monitor those that show numbers.
do $install$
declare
  v_grant record;
  v_tenant constant text[] := array[
    'auth_get_creds', 'auth_init_creds', 'auth_save_creds', 'auth_creds_version', 'auth_get_keys', 'auth_set_keys',
    'auth_save_state', 'auth_list_keys', 'auth_clear_keys', 'auth_delete_company', 'auth_export', 'auth_import',
    'auth_acquire_lease', 'auth_renew_lease', 'auth_release_lease', 'auth_creds_history', 'auth_restore_creds',
    'auth_forget_history', 'cleanup_expired_keys', 'auth_stats', 'auth_schema_version'
  ];
  v_monitor constant text[] := array['auth_stats', 'auth_list_leases', 'auth_list_audit', 'auth_schema_version'];
  v_roles jsonb;
begin
  select jsonb_agg(jsonb_build_array(r.role, r.functions))
    into v_roles
    from (
      select 'auth_state_service', null::text[]
      union all
      select 'auth_state_tenant', v_tenant
      union all
      select 'auth_state_monitor', v_monitor
      union all
      select theirs.rolname, case when theirs.rolname = 'authenticated' then v_tenant end
        from (values ('service_role', 'auth_state_service'), ('authenticated', 'auth_state_tenant')) p (theirs, ours)
        join pg_roles theirs on theirs.rolname = p.theirs
       where pg_has_role(theirs.oid, p.ours, 'MEMBER') and not pg_has_role(theirs.oid, p.ours, 'USAGE')
    ) r (role, functions);

  -- What a platform has for functions and tables that are yet to come.
  for v_grant in
    select distinct
           format('alter default privileges for role auth_state_owner%s revoke all on %s from %s',
                  ' in schema ' || quote_ident(n.nspname),
                  case d.defaclobjtype when 'f' then 'functions' when 'r' then 'tables' when 'S' then 'sequences'
                                       when 'T' then 'types' else 'schemas' end,
                  case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as statement
      from pg_default_acl d
      left join pg_namespace n on n.oid = d.defaclnamespace
     cross join aclexplode(d.defaclacl) a
     where d.defaclrole = to_regrole('auth_state_owner')
       and a.grantee <> d.defaclrole
       and (n.oid is null or n.nspname = current_schema())
  loop
    execute v_grant.statement;
  end loop;
  -- A column of the type of one of our tables, in somebody's own table, would stop an upgrade.
  for v_grant in
    select format('revoke all on type %I from %s', t.typname,
                  case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as statement
      from pg_type t
      join pg_class c on c.oid = t.typrelid
     cross join aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relkind = 'r' and pg_get_userbyid(c.relowner) = 'auth_state_owner' and a.grantee <> t.typowner
  loop
    execute v_grant.statement;
  end loop;

  for v_grant in
    select format('revoke all on table %I from %s', c.relname,
                  case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as statement
      from pg_class c cross join aclexplode(c.relacl) a
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relkind in ('r', 'S', 'v') and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and a.grantee <> c.relowner
    union
    select format('revoke all (%I) on table %I from %s', t.attname, c.relname,
                  case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
      from pg_class c
      join pg_attribute t on t.attrelid = c.oid
     cross join aclexplode(t.attacl) a
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relkind in ('r', 'v') and pg_get_userbyid(c.relowner) = 'auth_state_owner'
    union
    select format('revoke all on function %s from %s', p.oid::regprocedure,
                  case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
      from pg_proc p cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace = quote_ident(current_schema())::regnamespace
       and pg_get_userbyid(p.proowner) = 'auth_state_owner'
       and a.grantee <> p.proowner
       and (a.is_grantable
            or starts_with(p.proname, '_')
            or not exists (select from jsonb_array_elements(v_roles) r
                            where r ->> 0 = pg_get_userbyid(a.grantee)
                              and (jsonb_typeof(r -> 1) = 'null' or r -> 1 ? p.proname)))
  loop
    execute v_grant.statement;
  end loop;

  for v_grant in
    select format('grant execute on function %s to %I', p.oid::regprocedure, r ->> 0) as statement
      from pg_proc p
     cross join jsonb_array_elements(v_roles) r
     where p.pronamespace = quote_ident(current_schema())::regnamespace
       and p.proname in ('_known_settings', '_system_identifier', '_timeline', '_server_history', '_is_live', '_is_of_this_database', '_apply_ttl', '_assert_batch', '_assert_company', '_assert_company_id', '_assert_creds', '_assert_identity', '_assert_key_ids', '_assert_key_type', '_assert_policies', '_assert_positive', '_assert_service', '_assert_session', '_assert_setting', '_assert_state', '_assert_stored_creds', '_assert_token', '_assert_transaction', '_assert_ttl', '_assert_utf8', '_audit', '_begin_write', '_buffer', '_caller', '_confined_to', '_creds_fault', '_delete_keys', '_end_leases', '_enter_company', '_from_utc', '_header', '_identity', '_is_monitor', '_is_new_identity', '_is_paired', '_is_same_key', '_is_shown', '_keep_creds', '_list_session_settings', '_list_status_warnings', '_listed', '_lock_key', '_lock_wait', '_next_number', '_now', '_on_behalf_of', '_refuse_token', '_remove_expired_keys', '_renew_kept_keys', '_renew_keys', '_setting', '_shown_to', '_sign_lease', '_sort_expired_keys', '_span', '_store_creds', '_tenant_company', '_tidy_up', '_ttl_lock_key', '_utc', '_wait_for_lock', '_warn_of_access', '_warn_of_incomplete_install', '_warn_of_lost_writes', '_warn_of_printed_values', '_write_creds', '_write_keys', 'auth_acquire_lease', 'auth_bind_role', 'auth_cleanup_job', 'auth_clear_keys', 'auth_configure', 'auth_creds_history', 'auth_creds_version', 'auth_delete_company', 'auth_export', 'auth_forget_history', 'auth_get_creds', 'auth_get_keys', 'auth_import', 'auth_init_creds', 'auth_list_audit', 'auth_list_companies', 'auth_list_keys', 'auth_list_leases', 'auth_release_lease', 'auth_renew_lease', 'auth_restore_creds', 'auth_save_creds', 'auth_save_state', 'auth_schedule_cleanup', 'auth_schema_version', 'auth_set_keys', 'auth_set_ttl', 'auth_stats', 'auth_status', 'auth_unbind_role', 'auth_unschedule_cleanup', 'cleanup_expired_keys') and not starts_with(p.proname, '_')
       and (jsonb_typeof(r -> 1) = 'null' or r -> 1 ? p.proname)
       and not exists (select from aclexplode(p.proacl) a
                        where pg_get_userbyid(a.grantee) = r ->> 0 and a.privilege_type = 'EXECUTE')
  loop
    execute v_grant.statement;
  end loop;
end
$install$;

comment on table whatsapp_auth is
  'Credentials of a WhatsApp account, whole, as Baileys'' creds.json holds them. Read and written by the auth_ functions only.';
comment on column whatsapp_auth.company_id is 'The account; any text up to 256 bytes.';
comment on column whatsapp_auth.creds is 'A JSON object, or a JSON string when a client encrypted it: docs/encryption.md.';
comment on column whatsapp_auth.version is
  'Grows with every change, over deletion and restore too: greatest(previous + 1, microseconds since 1970).';
comment on column whatsapp_auth.updated_at is 'When creds last changed.';
comment on table whatsapp_keys is 'Signal keys of every account, one row each, values as the client sent them.';
comment on column whatsapp_keys.key_type is 'Signal key type as Baileys names it: pre-key, session, sender-key, others; up to 128 bytes.';
comment on column whatsapp_keys.key_id is 'Key id as Baileys names it; up to 1024 bytes.';
comment on column whatsapp_keys.value is 'Any JSON but null, up to what jsonb normalises (key order, spelling of numbers).';
comment on column whatsapp_keys.updated_at is 'When the value last changed or, where the type has a ttl, was last renewed.';
comment on column whatsapp_keys.expires_at is
  'updated_at plus the ttl of the type: from then on cleanup may remove the row, until it does the row is readable. Null: never.';
comment on table whatsapp_leases is 'Who may write an account at present. No row, or one in the past: anybody.';
comment on column whatsapp_leases.holder is 'The name the holder gave itself.';
comment on column whatsapp_leases.token is 'Fencing token: grows with every acquisition and never comes back.';
comment on column whatsapp_leases.given_in is
  'The server history it was given in: timeline, cluster, port and database. In another one it is over.';
comment on column whatsapp_leases.written_by is
  'The transaction of a lease function that wrote this row. A row from a dump or a replication has another one, and is no '
  'lease. Null: somebody wrote without it since, so that it cannot be resumed.';
comment on column whatsapp_leases.retake_after is
  'Until then its own holder''s name gets no new token over it: a second process asks.';
comment on table whatsapp_auth_history is
  'Earlier creds of an account: the last few versions and, for 30 days, the last one before each change of identity.';
comment on column whatsapp_auth_history.version is 'The version these creds had.';
comment on column whatsapp_auth_history.saved_at is 'When they were saved.';
comment on column whatsapp_auth_history.replaced_at is 'When other creds, or none, took their place.';
comment on column whatsapp_auth_history.ends_identity is 'Whether those were another identity.';
comment on table whatsapp_audit is
  'Who did what to which account when; no key id, never a value. Written by the functions alone, read by auth_list_audit.';
comment on column whatsapp_audit.company_id is 'The account; empty for what concerns none in particular.';
comment on column whatsapp_audit.action is 'One of those that auth_list_audit names.';
comment on column whatsapp_audit.login is 'session_user: who logged in.';
comment on column whatsapp_audit.on_behalf_of is 'For whom a service or a proxy said it acts: auth_state.on_behalf_of.';
comment on column whatsapp_audit.role is 'The role that was set, or the login.';
comment on column whatsapp_audit.holder is 'Who held the lease of the account then.';
comment on column whatsapp_audit.rows is 'How many rows of creds and keys it concerned.';
comment on table whatsapp_tenant_roles is
  'Which account a database login is confined to. Changed by auth_bind_role and auth_unbind_role only.';
comment on column whatsapp_tenant_roles.role_name is 'By name: a binding outlives the role.';
comment on table whatsapp_key_ttl is 'How long keys of a type live without being written. Changed by auth_set_ttl only.';
comment on column whatsapp_key_ttl.ttl is 'Null: never expires.';
comment on column whatsapp_key_ttl.changed_at is
  'When auth_set_ttl changed it; cleanup brings along rows that a writer held then, and sets this to null a day later.';
comment on table whatsapp_settings is 'Settings of the package that are not at their default. Changed by auth_configure only.';
comment on table whatsapp_migrations is 'Which run-once migrations of pg-auth-state this database has had.';

-- sql/910_row_level_security.sql
-- Behind the functions: a mistake in one of them still shows and changes nobody else's rows. Only what differs
-- is made anew, since altering a policy waits for everybody who reads the table.
do $install$
declare
  -- Once a statement.
  v_confined constant text := $sql$(select case when (coalesce(current_setting('auth_state.company_id', true), '') = '' and pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_service', 'USAGE') and not exists ( select from whatsapp_tenant_roles as b where b.role_name in (current_setting('role')::name, session_user) )) then null else %s() end)$sql$;
  v_company constant text := '(company_id = ' || format(v_confined, '_confined_to') || ') is not false';
  -- PostgreSQL merges equal conditions: one permissive policy for every command, and what keeps a monitor from
  -- writing beside it, cost an update half of what policies for each command would.
  v_shown constant text := '(company_id = ' || format(v_confined, '_shown_to') || ') is not false';
  v_no_monitor constant text := $sql$(
    select not pg_has_role(coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'auth_state_monitor', 'USAGE')
           or _is_monitor() is not true)$sql$;
  v_event constant text := '(select _confined_to()) is null or company_id = nullif((select _confined_to()), '''')';
  v_unconfined constant text := '(select _confined_to()) is null';
  v_monitor constant text := '(select _is_monitor())';
  v_policies constant jsonb := jsonb_build_array(
    jsonb_build_array('whatsapp_auth', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_auth_history', 'company', 'all', v_company),
    jsonb_build_array('whatsapp_keys', 'company', 'all', v_shown),
    jsonb_build_array('whatsapp_keys', 'no_monitor_deletes', 'delete', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_keys', 'no_monitor_inserts', 'insert', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_keys', 'no_monitor_updates', 'update', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'company', 'all', v_shown),
    jsonb_build_array('whatsapp_leases', 'no_monitor_deletes', 'delete', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'no_monitor_inserts', 'insert', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_leases', 'no_monitor_updates', 'update', v_no_monitor, 'restrictive'),
    jsonb_build_array('whatsapp_audit', 'company', 'select', v_event),
    jsonb_build_array('whatsapp_audit', 'log', 'insert', v_event),
    jsonb_build_array('whatsapp_audit', 'monitor', 'select', v_monitor),
    jsonb_build_array('whatsapp_audit', 'count', 'update', v_event),
    jsonb_build_array('whatsapp_audit', 'prune', 'delete', v_unconfined),
    jsonb_build_array('whatsapp_key_ttl', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_key_ttl', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_settings', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_settings', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_tenant_roles', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_tenant_roles', 'write', 'all', v_unconfined),
    jsonb_build_array('whatsapp_migrations', 'read', 'select', 'true'),
    jsonb_build_array('whatsapp_migrations', 'write', 'all', v_unconfined)
  );
  v_policy record;
  v_found record;
begin
  for v_policy in
    select c.relname, p.polname
      from pg_policy p
      join pg_class c on c.oid = p.polrelid
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and not exists (select from jsonb_array_elements(v_policies) w where w ->> 0 = c.relname and w ->> 1 = p.polname)
  loop
    raise notice '%: policy % dropped, it is not ours', v_policy.relname, v_policy.polname;
    execute format('drop policy %I on %I', v_policy.polname, v_policy.relname);
  end loop;

  for v_policy in
    select w ->> 0 as relname, w ->> 1 as polname, w ->> 2 as command, w ->> 3 as condition, coalesce(w ->> 4, 'permissive') as kind
      from jsonb_array_elements(v_policies) w
  loop
    for v_attempt in 1..2 loop
      -- Its comment says what it was made of and what PostgreSQL made of that.
      select p.oid,
             md5(concat_ws(' | ', v_policy.command, v_policy.condition, v_policy.kind, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
                           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))) as md5,
             obj_description(p.oid, 'pg_policy') as noted
        into v_found
        from pg_policy p
       where p.polrelid = to_regclass(v_policy.relname) and p.polname = v_policy.polname;
      exit when v_found.md5 = v_found.noted;
      if v_attempt = 1 then
        if v_found.oid is not null then
          execute format('drop policy %I on %I', v_policy.polname, v_policy.relname);
        end if;
        execute format('create policy %I on %I as %s for %s to auth_state_owner %s (%s)', v_policy.polname, v_policy.relname,
                       v_policy.kind, v_policy.command, case when v_policy.command = 'insert' then 'with check' else 'using' end,
                       v_policy.condition)
                -- What a row was is enough to know who writes.
                || case when v_policy.kind = 'restrictive' and v_policy.command = 'update' then ' with check (true)' else '' end;
      else
        execute format('comment on policy %I on %I is %L', v_policy.polname, v_policy.relname, v_found.md5);
      end if;
    end loop;
  end loop;

  for v_policy in
    select c.relname
      from pg_class c
     where c.relnamespace = quote_ident(current_schema())::regnamespace
       and c.relkind = 'r' and pg_get_userbyid(c.relowner) = 'auth_state_owner'
       and not (c.relrowsecurity and c.relforcerowsecurity)
  loop
    execute format('alter table %I enable row level security, force row level security', v_policy.relname);
  end loop;
end
$install$;

-- sql/920_settings.sql
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

-- sql/930_truncation.sql
-- Rows that are restored behind a truncation are of before: leases end with it. Writes fire nothing.
do $install$
declare
  v_table text;
begin
  foreach v_table in array array['whatsapp_auth', 'whatsapp_keys'] loop
    if not exists (select from pg_trigger t where t.tgrelid = to_regclass(v_table) and t.tgname = 'truncation_ends_leases') then
      execute format('create trigger truncation_ends_leases after truncate on %I execute function _end_leases()', v_table);
    end if;
  end loop;
end
$install$;

-- sql/980_drop_stale.sql
-- Functions of an earlier version that this one no longer has: their rows are older than this transaction. Last, when no
-- policy and no function uses them any more, and all at once, since they may use each other.
do $install$
declare
  v_functions text;
  v_detail text;
begin
  select string_agg(p.oid::regprocedure::text, ', ')
    into v_functions
    from pg_proc p
   where p.pronamespace = quote_ident(current_schema())::regnamespace
     and pg_get_userbyid(p.proowner) = 'auth_state_owner'
     and age(p.xmin) > age(pg_current_xact_id()::xid);
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
exception
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'A function that this version no longer has is still used.',
      detail = v_detail,
      hint = 'Drop what uses it, then install again.';
end
$install$;

-- sql/990_finish.sql
do $install$
declare
  v_message text;
  v_hint text;
begin
  perform set_config('role', current_setting('auth_state.installer_role'), true);
  -- The installer's way into auth_state_owner was for this transaction only.
  if current_setting('auth_state.borrowed_owner') <> '' then
    execute format('revoke auth_state_owner from %I', current_setting('auth_state.borrowed_owner'));
  end if;

  -- A first install schedules the cleanup; later ones leave the job as they find it.
  if current_setting('auth_state.first_install') = 'yes' then
    begin
      perform auth_schedule_cleanup();
      raise notice 'expired keys are removed by a job of pg_cron, every 6 hours';
    exception
      when others then
        get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
        raise notice 'expired keys are not removed by themselves yet: %', v_message using hint = v_hint;
    end;
  end if;
end
$install$;

-- Under psql's ON_ERROR_ROLLBACK a statement that fails is passed over, and the rest would be committed. Each statement
-- is a subtransaction then.
do $install$
begin
  if has_database_privilege(current_database(), 'TEMP') and exists (
    select
      from pg_proc p
     where p.proname = 'auth_schema_version' and age(p.xmin) < age(pg_current_xact_id()::xid)
  ) then
    create temp table pg_auth_state_install (savepoints boolean) on commit drop;
    create function pg_temp.refuse_savepoints ()
    returns trigger
    language plpgsql
    as $refuse$
    begin
      raise exception using errcode = 'WA006',
        message = 'This file was run with a savepoint before each statement: nothing is committed.',
        detail = 'A statement that fails would be passed over, and half of pg-auth-state installed.',
        hint = 'psql -X -v ON_ERROR_STOP=1 has none; nor has any psql while ON_ERROR_ROLLBACK is off.';
    end
    $refuse$;
    create constraint trigger refuse_savepoints after insert on pg_temp.pg_auth_state_install
    initially deferred for each row execute function pg_temp.refuse_savepoints();
    insert into pg_temp.pg_auth_state_install values (true);
  end if;
end
$install$;

commit;
