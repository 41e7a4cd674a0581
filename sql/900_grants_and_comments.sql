-- Functions of an earlier version that this one no longer has: their rows were not written just now.
do $install$
declare
  v_function regprocedure;
  v_detail text;
begin
  for v_function in
    select p.oid
      from pg_proc p
     where p.pronamespace = quote_ident(current_schema())::regnamespace
       and pg_get_userbyid(p.proowner) = 'auth_state_owner'
       and p.xmin <> pg_current_xact_id()::xid
  loop
    execute format('drop routine %s', v_function);
  end loop;
exception
  when dependent_objects_still_exist then
    get stacked diagnostics v_detail = pg_exception_detail;
    raise exception using errcode = 'WA006',
      message = 'A function that this version no longer has is still used.',
      detail = v_detail,
      hint = 'Drop what uses it, then install again.';
end
$install$;

-- Values must not end up in pg_stats.
alter table whatsapp_auth alter column creds set statistics 0;
alter table whatsapp_keys alter column value set statistics 0;

-- Deny by default: whatever somebody or a platform's default privileges granted goes first.
do $install$
declare
  v_grant record;
begin
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
       and pg_get_userbyid(a.grantee) <> 'auth_state_service'
    union
    select format('revoke all on function %s from auth_state_service', p.oid::regprocedure)
      from pg_proc p
     where p.pronamespace = quote_ident(current_schema())::regnamespace
       and pg_get_userbyid(p.proowner) = 'auth_state_owner'
       and starts_with(p.proname, '_') and p.proacl is not null
       and has_function_privilege('auth_state_service', p.oid, 'EXECUTE')
  loop
    execute v_grant.statement;
  end loop;

  for v_grant in
    select format('grant execute on function %s to auth_state_service', p.oid::regprocedure) as statement
      from pg_proc p
     where p.pronamespace = quote_ident(current_schema())::regnamespace
       and p.proname in (@functions@) and not starts_with(p.proname, '_')
       and not has_function_privilege('auth_state_service', p.oid, 'EXECUTE')
  loop
    execute v_grant.statement;
  end loop;
end
$install$;

comment on table whatsapp_auth is
  'Credentials of a WhatsApp account, whole, as Baileys'' creds.json holds them. Read and written by the auth_ functions only.';
comment on column whatsapp_auth.company_id is 'The account; any text up to 256 bytes.';
comment on column whatsapp_auth.creds is 'A JSON object, or a JSON string when a client encrypted it.';
comment on column whatsapp_auth.version is
  'Grows with every change, over deletion and restore too: greatest(previous + 1, microseconds since 1970).';
comment on column whatsapp_auth.updated_at is 'When creds last changed.';
comment on table whatsapp_keys is 'Signal keys of every account, one row each, values as the client sent them.';
comment on column whatsapp_keys.key_type is 'Signal key type as Baileys names it: pre-key, session, sender-key, …; up to 128 bytes.';
comment on column whatsapp_keys.key_id is 'Key id as Baileys names it; up to 1024 bytes.';
comment on column whatsapp_keys.value is 'Any JSON but null, up to what jsonb normalises (key order, spelling of numbers).';
comment on column whatsapp_keys.updated_at is 'When the value last changed or, where the type has a ttl, was last renewed.';
comment on column whatsapp_keys.expires_at is
  'updated_at plus the ttl of the type: from then on cleanup may remove the row, until it does the row is readable. Null: never.';
comment on table whatsapp_leases is 'Who may write an account at present. No row, or one in the past: anybody.';
comment on column whatsapp_leases.holder is 'The name the holder gave itself.';
comment on column whatsapp_leases.token is 'Fencing token: grows with every acquisition and never comes back.';
comment on table whatsapp_key_ttl is 'How long keys of a type live without being written. Changed by auth_set_ttl only.';
comment on column whatsapp_key_ttl.ttl is 'Null: never expires.';
comment on column whatsapp_key_ttl.changed_at is
  'When auth_set_ttl changed it; cleanup brings along rows that a writer held then, and sets this to null a day later.';
comment on table whatsapp_migrations is 'Which run-once migrations of pg-auth-state this database has had.';
