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
