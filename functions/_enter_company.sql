-- In this order, each a statement of its own: access, isolation, lock, clock. What is read after it is of now.
create or replace function _enter_company (p_company_id text)
returns timestamptz
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  perform _assert_company(p_company_id);
  perform _assert_read_committed();
  if not pg_try_advisory_xact_lock(_lock_key(p_company_id)) then
    perform _wait_for_lock(_lock_key(p_company_id), format('Company %s', to_json(p_company_id)));
  end if;
  return _now();
end
$func$;
