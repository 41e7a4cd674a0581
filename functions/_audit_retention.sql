-- How long the audit log is kept: auth_state.audit_retention, 90 days; a week at least, so that whoever took a
-- back end over cannot wipe away at once what it did.
create or replace function _audit_retention ()
returns interval
language plpgsql
stable
parallel restricted
set search_path from current
as $func$
declare
  v_kept interval;
begin
  v_kept := coalesce(nullif(current_setting('auth_state.audit_retention', true), ''), '90 days')::interval;
  perform _assert_ttl(v_kept);
  return greatest(v_kept, interval '7 days');
exception
  when data_exception or sqlstate 'WA001' then
    raise exception using errcode = 'WA001',
      message = 'auth_state.audit_retention is a time above zero.',
      detail = 'The setting auth_state.audit_retention of this session cannot be read as one.',
      hint = 'alter database … set auth_state.audit_retention = ''90 days''';
end
$func$;
