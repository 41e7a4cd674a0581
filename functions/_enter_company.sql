-- In this order, each a statement of its own: access, isolation, lock, clock. What is read after it is of now.
create or replace function _enter_company (p_company_id text)
returns timestamptz
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
declare
  v_key constant bigint := hashtextextended('pg_auth_state:company:' || p_company_id, 0);  -- _lock_key, without its call
begin
  unlisten pg_auth_state_nothing;  -- _confined_to says why
  if current_user <> 'auth_state_owner' or current_setting('row_security') <> 'on' or getdatabaseencoding() <> 'UTF8' then
    perform _assert_session();
    perform _assert_utf8();
  end if;
  if (select not __caller_is_service__) or octet_length(p_company_id) between 1 and 256 is not true then
    perform _assert_company(p_company_id);
  end if;
  if current_setting('transaction_isolation') <> 'read committed' or current_setting('transaction_read_only') = 'on' then
    perform _assert_transaction();
  end if;
  if not pg_try_advisory_xact_lock(v_key) then
    perform _wait_for_lock(v_key, format('Company %s', to_json(p_company_id)));
  end if;
  return case when coalesce(current_setting('auth_state.now', true), '') = '' then clock_timestamp() else _now() end;
end
$func$;
