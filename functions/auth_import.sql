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
