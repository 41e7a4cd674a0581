-- The company's lock, until the transaction ends.
create or replace function _lock_company (p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
security definer
set search_path from current
as $func$
declare
  v_key constant bigint := _lock_key(p_company_id);
begin
  if not pg_try_advisory_xact_lock(v_key) then
    perform _wait_for_lock(v_key, format('Company %s', to_json(p_company_id)));
  end if;
end
$func$;
