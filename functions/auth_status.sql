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
    'warnings', (
      select coalesce(jsonb_agg(w.text), '[]')
        from (
          select 'log_statement or log_min_duration_statement log statements with their parameters, creds among them: set log_parameter_max_length = 0'
           where (current_setting('log_statement') in ('mod', 'all')
                  or current_setting('log_min_duration_statement') <> '-1'
                  or current_setting('log_min_duration_sample') <> '-1')
             and current_setting('log_parameter_max_length') <> '0'
          union all
          select 'failed statements are logged with their parameters, creds among them: set log_parameter_max_length_on_error = 0'
           where current_setting('log_parameter_max_length_on_error') <> '0'
          union all
          select 'auto_explain logs parameters, creds among them: set auto_explain.log_parameter_max_length = 0'
           where coalesce(current_setting('auto_explain.log_min_duration', true), '-1') <> '-1'
             and coalesce(current_setting('auto_explain.log_parameter_max_length', true), '0') <> '0'
          union all
          select format('%s may create objects in schema %I, and so change what the functions do: revoke it',
                        case when a.grantee = 0 then 'everybody' else pg_get_userbyid(a.grantee)::text end, n.nspname)
            from pg_namespace n
           cross join aclexplode(n.nspacl) a
            left join pg_roles r on r.oid = a.grantee
           where n.nspname = current_schema() and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
             and r.rolsuper is not true and pg_get_userbyid(a.grantee) <> 'auth_state_owner'
          union all
          select format('%s is off: a crash of the server may lose keys that were acknowledged', s.name)
            from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) s (name)
           where current_setting(s.name) = 'off'
        ) w (text)
    ));
end
$func$;

comment on function auth_status () is $$
One look at the whole store: `version`, `schema`, `server`, `accounts`, `paired`, `encrypted` (by their creds), `live_leases`, `keys` (by type: `keys`, `bytes` as stored, `largest`, `expired`, `expiring` within a day, `ttl`), `relation_bytes` on disk, and `warnings` of server settings that would log creds or lose acknowledged writes, and of roles that could change our functions. Reads the whole key table.

Errors: 42501. Locks: none; works on a read replica.
$$;
