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
  if string_to_array(v_what, '.')::integer[] > string_to_array('@version@', '.')::integer[] then
    raise exception using errcode = 'WA006',
      message = format('Version %s is installed, and this is @version@.', v_what),
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
      join pg_proc p on p.oid = t.tgfoid and p.proname in (@functions@)
     where c.relnamespace = to_regnamespace(quote_ident(v_schema)) and c.relowner = v_owner and starts_with(c.relname, 'whatsapp_')
    union all
    select 'drop routine ' || string_agg(p.oid::regprocedure::text, ', ')
      from pg_proc p
     where p.pronamespace = to_regnamespace(quote_ident(v_schema)) and p.proowner = v_owner and p.proname in (@functions@)
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
     and p.proname in (@functions@)
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
