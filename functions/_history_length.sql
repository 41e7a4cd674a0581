-- How many earlier versions of creds are kept: auth_state.history_versions, 5.
create or replace function _history_length ()
returns integer
language plpgsql
stable
parallel safe
set search_path from current
as $func$
declare
  v_setting constant text := coalesce(nullif(current_setting('auth_state.history_versions', true), ''), '5');
begin
  if v_setting !~ '^[0-9]{1,3}$' or v_setting::integer = 0 then
    raise exception using errcode = 'WA001',
      message = 'auth_state.history_versions is a number from 1 to 999.',
      detail = 'The setting auth_state.history_versions of this session cannot be read as one.',
      hint = 'alter database … set auth_state.history_versions = ''5''';
  end if;
  return v_setting::integer;
end
$func$;
