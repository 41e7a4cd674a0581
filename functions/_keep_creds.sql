-- Into the history with creds that are replaced or deleted: the last few versions stay, and for 30 days the
-- last one of each identity, since one re-pairing saves creds more often than the history is long. A tenant could
-- fill it: beyond 100 changes of identity in that time only the last creds of each identity stay, and a further
-- identity is refused. A restoration never is.
create or replace function _keep_creds (
  p_company_id text,
  p_version bigint,
  p_creds jsonb,
  p_saved_at timestamptz,
  p_new jsonb,
  p_now timestamptz,
  p_is_restored boolean
)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_versions constant integer := _setting('history_versions')::integer;
  v_ends_identity constant boolean := _is_new_identity(p_creds, p_new);
begin
  if v_ends_identity
     and (select count(*)
            from whatsapp_auth_history h
           where h.company_id = p_company_id and h.ends_identity and h.replaced_at > p_now - interval '30 days') >= 100 then
    delete from whatsapp_auth_history h
     where h.company_id = p_company_id and h.ends_identity and not _is_new_identity(h.creds, p_creds);
    if not found and not p_is_restored then
      raise exception using errcode = 'WA006',
        message = format('Company %s has changed its identity 100 times in 30 days.', to_json(p_company_id)),
        detail = 'Each identity is kept for 30 days, so that there is a way back. Nothing was written.',
        hint = 'Look at auth_creds_history and auth_list_audit: who does this? auth_forget_history makes room.';
    end if;
  end if;
  insert into whatsapp_auth_history (company_id, version, creds, saved_at, replaced_at, ends_identity)
  values (p_company_id, p_version, p_creds, p_saved_at, p_now, v_ends_identity)
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
