create or replace function auth_restore_creds (p_company_id text, p_version bigint, p_lease_token bigint default null)
returns bigint
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_now timestamptz;
  v_old record;
  v_creds jsonb;
  v_version bigint;
begin
  v_now := _begin_write(p_company_id, p_lease_token);
  select h.creds
    into v_creds
    from whatsapp_auth_history h
   where h.company_id = p_company_id and h.version = p_version;
  if v_creds is null then
    perform _assert_policies();
    raise exception using errcode = 'WA004',
      message = format('Company %s has no earlier creds of version %s.', to_json(p_company_id), coalesce(p_version::text, 'null')),
      detail = 'It never had, they are the present ones, or they are not kept any more.',
      hint = 'auth_creds_history lists those there are.';
  end if;
  perform _assert_creds(v_creds, 'creds', 'No client can use creds of that version. auth_creds_history lists the others.');
  select a.version, a.creds, a.updated_at into v_old from whatsapp_auth a where a.company_id = p_company_id;
  v_version := _store_creds(p_company_id, v_old.version, v_old.creds, v_old.updated_at, v_creds, v_now, v_now, true);
  perform _audit(p_company_id, 'creds_restored', v_now, 1, jsonb_build_object('version', p_version));
  return v_version;
end
$func$;

comment on function auth_restore_creds (text, bigint, bigint) is $$
Puts earlier creds of a company back, as a new version, and returns that version; the ones they replace go into the history. The only writer that the identity guard does not stop. Audited.

It restores creds, not ratchets: sessions and sender keys stay as they are now, and messages that the restored identity can no longer read are lost. Meant for creds that were overwritten by mistake; after a logout on the phone they are of no use, and the account is paired anew.

- `p_version`: one that auth_creds_history lists.
- `p_lease_token`: the token of a live lease; without one, no lease may be live.

Errors: WA001, WA002, WA004, WA006 (isolation level), 42501, 55P03. Locks: the company's, until the transaction ends.
$$;
