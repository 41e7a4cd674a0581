create or replace function auth_creds_version (p_company_id text)
returns bigint
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  return (select a.version from whatsapp_auth a where a.company_id = p_company_id);
end
$func$;

comment on function auth_creds_version (text) is $$
The version of a company's creds, or null when it has none. A version only grows, also over deletion of the company and restore of an old dump. Pass it to auth_save_creds as `p_expected_version` to save only over what you read.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
