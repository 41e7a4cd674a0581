-- Held alone while a ttl changes, and shared by a cleanup batch: neither ever waits for the other's rows.
create or replace function _ttl_lock_key ()
returns bigint
language plpgsql
immutable
parallel safe
set search_path from current
as $func$
begin
  return hashtextextended('pg_auth_state:ttl', 0);
end
$func$;
