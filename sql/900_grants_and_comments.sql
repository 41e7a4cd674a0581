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
       and p.proname in (@functions@) and not starts_with(p.proname, '_')
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
