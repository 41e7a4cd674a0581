-- Behind _begin_write: version check, identity guard, write. Creds that are there already keep their version.
create or replace function _write_creds (
  p_company_id text,
  p_creds jsonb,
  p_expected_version bigint,
  p_allow_new_identity boolean,
  p_now timestamptz
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_old record;
  v_version bigint;
begin
  select a.version, a.creds, a.updated_at
    into v_old
    from whatsapp_auth a
   where a.company_id = p_company_id;
  if p_expected_version is not null and v_old.version is distinct from p_expected_version then
    raise exception using errcode = 'WA003',
      message = format('The creds of company %s are not at version %s.', to_json(p_company_id), p_expected_version),
      detail = coalesce('They are at version ' || v_old.version || '.', 'It has no creds.'),
      hint = 'Somebody else wrote them: read them again, apply the change, save with the version read.';
  end if;
  if v_old.creds = p_creds then
    return v_old.version;
  end if;
  perform _assert_identity(p_company_id, v_old.creds, p_creds, p_allow_new_identity);
  v_version := _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, p_creds, p_now, p_now);
  if v_old.creds is null then
    perform _audit(p_company_id, 'creds_created', p_now, 1);
  elsif _is_new_identity(v_old.creds, p_creds) then
    perform _audit(p_company_id, 'creds_new_identity', p_now, 1);
  end if;
  return v_version;
end
$func$;
