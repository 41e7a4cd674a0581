create or replace function auth_get_creds (p_company_id text)
returns jsonb
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $func$
declare
  v_creds jsonb;
begin
  perform _assert_session();
  if getdatabaseencoding() <> 'UTF8' then
    perform _assert_utf8();
  end if;
  -- Refused before a row is touched: auth_get_keys says why.
  select a.creds
    into v_creds
    from whatsapp_auth a
   where a.company_id = (select case when __caller_is_service__ then p_company_id
                                     else (select p_company_id from _assert_company(p_company_id)) end);
  if v_creds is null then
    perform _assert_company(p_company_id);
  elsif (v_creds -> 'noiseKey' <> 'null' and v_creds -> 'signedIdentityKey' <> 'null') is not true then
    perform _assert_stored_creds(p_company_id, v_creds);
  end if;
  return v_creds;
end
$func$;

comment on function auth_get_creds (text) is $$
The creds of a company as they were saved, or null when it has none. Only a company that truly has none gives null; creds that no client can use are WA006.

- `p_company_id`: the account, 1 to 256 bytes.

Errors: WA001, WA006, 42501. Locks: none; works on a read replica.
$$;
