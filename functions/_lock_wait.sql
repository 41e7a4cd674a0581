-- In milliseconds: the setting lock_wait, or what the session has that is shorter: auth_state.lock_wait, lock_timeout.
create or replace function _lock_wait ()
returns integer
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_own constant text := nullif(current_setting('auth_state.lock_wait', true), '');
  v_timeout constant integer := (select s.setting::integer from pg_settings s where s.name = 'lock_timeout');
begin
  if v_own is not null then
    perform _assert_setting('lock_wait', v_own, 'auth_state.lock_wait');
  end if;
  return least(extract(epoch from least(_span(v_own), _span(_setting('lock_wait')))) * 1000::numeric, nullif(v_timeout, 0))::integer;
end
$func$;
