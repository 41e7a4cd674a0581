-- Into the history with creds that are replaced or deleted: the last few versions stay, and for 30 days the
-- last one of each identity, since one re-pairing saves creds more often than the history is long.
create or replace function _keep_creds (
  p_company_id text,
  p_version bigint,
  p_creds jsonb,
  p_saved_at timestamptz,
  p_new jsonb,
  p_now timestamptz
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_versions constant integer := _history_length();
begin
  insert into whatsapp_auth_history (company_id, version, creds, saved_at, replaced_at, ends_identity)
  values (p_company_id, p_version, p_creds, p_saved_at, p_now,
          _is_new_identity(p_creds, p_new))
  on conflict (company_id, version) do nothing;
  delete from whatsapp_auth_history h
   where h.company_id = p_company_id
     and h.version <= (
       select n.version
         from whatsapp_auth_history n
        where n.company_id = p_company_id
        order by n.version desc
       offset v_versions
        limit 1
     )
     and not (h.ends_identity and h.replaced_at > p_now - interval '30 days');
end
$func$;
