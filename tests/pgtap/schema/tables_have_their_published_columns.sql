begin;
select plan(8);

select is(
  (
    select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
    from pg_attribute as a
    where a.attrelid = 'whatsapp_auth'::regclass and a.attnum > 0 and not a.attisdropped
  ),
  'company_id text, creds jsonb, version bigint'
  ', created_at timestamp with time zone, updated_at timestamp with time zone',
  'whatsapp_auth'
);
select is(
  (
    select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
    from pg_attribute as a
    where a.attrelid = 'whatsapp_keys'::regclass and a.attnum > 0 and not a.attisdropped
  ),
  'company_id text, key_type text, key_id text, value jsonb'
  ', created_at timestamp with time zone, updated_at timestamp with time zone, expires_at timestamp with time zone',
  'whatsapp_keys'
);
select is(
  (
    select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
    from pg_attribute as a
    where a.attrelid = 'whatsapp_leases'::regclass and a.attnum > 0 and not a.attisdropped
  ),
  'company_id text, holder text, token bigint, acquired_at timestamp with time zone, expires_at timestamp with time zone'
  ', given_in text, written_by xid, retake_after timestamp with time zone',
  'whatsapp_leases'
);
select is(
  (
    select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
    from pg_attribute as a
    where a.attrelid = 'whatsapp_settings'::regclass and a.attnum > 0 and not a.attisdropped
  ),
  'name text, value text',
  'whatsapp_settings'
);
select col_type_is('public', 'whatsapp_key_ttl', 'key_type', 'text', 'whatsapp_key_ttl.key_type');
select col_type_is('public', 'whatsapp_tenant_roles', 'role_name', 'name', 'whatsapp_tenant_roles.role_name');
select col_type_is('public', 'whatsapp_tenant_roles', 'company_id', 'text', 'whatsapp_tenant_roles.company_id');
select col_type_is('public', 'whatsapp_key_ttl', 'ttl', 'interval', 'whatsapp_key_ttl.ttl');

select * from finish();
rollback;
