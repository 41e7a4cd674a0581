-- Behind a truncation of creds or keys, which a restore of rows begins with: no holder goes on over other rows than its own.
create or replace function _end_leases ()
returns trigger
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  update whatsapp_leases l
     set written_by = null
   where l.written_by is not null;
  return null;
end
$func$;
