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
