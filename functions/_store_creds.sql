-- Behind every check: creds in place of the old ones, which go into the history. Null creds delete; the same
-- creds keep their version. Answers the version.
create or replace function _store_creds (
  p_company_id text,
  p_old_version bigint,
  p_old_creds jsonb,
  p_old_saved_at timestamptz,
  p_creds jsonb,
  p_saved_at timestamptz,
  p_now timestamptz,
  p_is_restored boolean default false
)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_version constant bigint := case when p_old_creds = p_creds then p_old_version else _next_number(p_old_version, p_now) end;
begin
  if p_creds is null then
    delete from whatsapp_auth a where a.company_id = p_company_id;
  else
    insert into whatsapp_auth as a (company_id, creds, version, created_at, updated_at)
    values (p_company_id, p_creds, v_version, p_now, p_saved_at)
    on conflict (company_id) do update
       set creds = excluded.creds, version = excluded.version, updated_at = excluded.updated_at;
  end if;
  if p_old_creds is not null and p_old_creds is distinct from p_creds then
    perform _keep_creds(p_company_id, p_old_version, p_old_creds, p_old_saved_at, p_creds, p_now, p_is_restored);
  end if;
  return v_version;
end
$func$;
