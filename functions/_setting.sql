-- The value in force: the one that auth_configure keeps, or the default.
create or replace function _setting (p_name text)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $func$
begin
  return coalesce((select s.value from whatsapp_settings s where s.name = p_name),
                  (select k.default_value from _known_settings() k where k.name = p_name));
end
$func$;
