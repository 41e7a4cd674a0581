-- Rows that are restored behind a truncation are of before: leases end with it. Writes fire nothing.
do $install$
declare
  v_table text;
begin
  foreach v_table in array array['whatsapp_auth', 'whatsapp_keys'] loop
    if not exists (select from pg_trigger t where t.tgrelid = to_regclass(v_table) and t.tgname = 'truncation_ends_leases') then
      execute format('create trigger truncation_ends_leases after truncate on %I execute function _end_leases()', v_table);
    end if;
  end loop;
end
$install$;
