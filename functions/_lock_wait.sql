-- In milliseconds: the caller's lock_timeout if it is shorter, else auth_state.lock_wait.
create or replace function _lock_wait ()
returns integer
language plpgsql
stable
parallel restricted
set search_path from current
as $func$
declare
  v_setting text := coalesce(nullif(current_setting('auth_state.lock_wait', true), ''), '5s');
  v_timeout constant integer := (select s.setting::integer from pg_settings s where s.name = 'lock_timeout');
  v_wait integer;
begin
  begin
    -- A bare number is milliseconds, as in lock_timeout.
    v_wait := (extract(epoch from (case when v_setting ~ '^[0-9]+$' then v_setting || 'ms' else v_setting end)::interval)
               * 1000::numeric)::integer;
  exception
    when data_exception or feature_not_supported then
      v_wait := 0;
  end;
  if v_wait not between 1 and 600000 then
    raise exception using errcode = 'WA001',
      message = 'auth_state.lock_wait is a time above zero and up to ten minutes.',
      detail = 'The setting auth_state.lock_wait of this session cannot be read as one.',
      hint = 'set auth_state.lock_wait = ''5s''';
  end if;
  return least(v_wait, nullif(v_timeout, 0));
end
$func$;
