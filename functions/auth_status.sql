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
