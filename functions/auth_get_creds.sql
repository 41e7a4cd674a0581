create or replace function auth_get_creds (p_company_id text)
returns jsonb
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  return (select a.creds from whatsapp_auth a where a.company_id = p_company_id);
end
$func$;

comment on function auth_get_creds (text) is $$
The creds of a company as they were saved, or null when it has none. Only a company that truly has none gives null.

- `p_company_id`: the account, 1 to 256 bytes.

Errors: WA001, 42501. Locks: none; works on a read replica.
$$;
