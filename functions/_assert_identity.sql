-- Paired creds are the account: losing their keys is losing it. A null p_new stands for no creds at all. Of
-- encrypted ones, old or new, the fingerprint in the header is all that can be compared.
create or replace function _assert_identity (p_company_id text, p_old jsonb, p_new jsonb, p_allow_new_identity boolean)
returns void
language plpgsql
immutable
parallel unsafe
set search_path from current
as $func$
begin
  if p_allow_new_identity is not true
     and _is_paired(p_old)
     and (case
            when jsonb_typeof(p_old) = 'object' and jsonb_typeof(p_new) = 'object' then _is_new_identity(p_old, p_new)
            else (_identity(p_old) = _identity(p_new)) is not true
          end) then
    raise exception using errcode = 'WA005',
      message = format('Company %s is paired, and these creds are another identity.', to_json(p_company_id)),
      detail = 'creds.noiseKey or creds.signedIdentityKey, or the identity of encrypted ones, differs or is missing. Nothing was written.',
      hint = 'Read the creds with auth_get_creds and change those. A new identity is auth_delete_company, then auth_init_creds; or p_allow_new_identity.';
  end if;
end
$func$;
