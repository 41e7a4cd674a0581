create or replace function _lock_key (p_company_id text)
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return hashtextextended('pg_auth_state:company:' || p_company_id, 0);
end
$func$;
