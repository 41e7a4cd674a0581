-- Paired creds are the account: losing their keys is losing it. A null p_new stands for no creds at all.
create or replace function _assert_identity (p_company_id text, p_old jsonb, p_new jsonb, p_allow_new_identity boolean)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  if p_allow_new_identity is not true
     and _is_paired(p_old)
     and (jsonb_typeof(p_new) is distinct from 'object'
          or coalesce(jsonb_typeof(p_new -> 'noiseKey'), 'null') = 'null'
          or coalesce(jsonb_typeof(p_new -> 'signedIdentityKey'), 'null') = 'null'
          or p_new -> 'noiseKey' is distinct from p_old -> 'noiseKey'
          or p_new -> 'signedIdentityKey' is distinct from p_old -> 'signedIdentityKey') then
    raise exception using errcode = 'WA005',
      message = format('Company %s is paired, and these creds are another identity.', to_json(p_company_id)),
      detail = 'creds.noiseKey or creds.signedIdentityKey differs or is missing. Nothing was written.',
      hint = 'Read the creds with auth_get_creds and change those. A new identity is auth_delete_company, then auth_init_creds; or p_allow_new_identity.';
  end if;
end
$func$;
