-- Before "there is none" is believed: without our policies forced row-level security hides every row. Everybody
-- may read whatsapp_migrations by its policy, and it is never empty.
create or replace function _assert_policies ()
returns void
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
begin
  if not exists (select from whatsapp_migrations) then
    raise exception using errcode = 'WA006',
      message = 'The policies of pg-auth-state are missing, and its tables show no row.',
      detail = 'A restore without policies (pg_restore --no-policies) leaves the tables closed.',
      hint = 'Install again over it. The installer makes the policies anew and keeps the rows.';
  end if;
end
$func$;
