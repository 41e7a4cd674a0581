-- What holds only while everything is as installed is checked by every call, before it reads a row. A function of
-- another owner sees no row and would say "no creds". _confined_to says why the first statement is there.
create or replace function _assert_session ()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  unlisten pg_auth_state_nothing;
  if current_user <> 'auth_state_owner' then
    raise exception using errcode = 'WA006',
      message = format('The functions of pg-auth-state belong to %I, and would see no account.', current_user),
      detail = 'Their owner is auth_state_owner. A restore without owners (pg_restore --no-owner) makes them somebody else''s.',
      hint = 'restored without owners: install again over it, as the login that restored or as a superuser. '
             'The installer gives everything back to auth_state_owner and keeps the rows.';
  elsif current_setting('row_security') <> 'on' then
    raise exception using errcode = 'WA006',
      message = 'row_security is off in this session, and PostgreSQL would refuse to read the tables of pg-auth-state.',
      detail = 'The functions read through policies of row-level security; the tables stay under FORCE ROW LEVEL SECURITY.',
      hint = 'set row_security = on, or end what sets it: alter role ... reset row_security, alter database ... reset row_security';
  end if;
end
$func$;
