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
