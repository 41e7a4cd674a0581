-- After a lease row was written, in the same transaction or savepoint: notes which one that was.
create or replace function _sign_lease (p_company_id text)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  update whatsapp_leases l
     set written_by = l.xmin
   where l.company_id = p_company_id;
end
$func$;
