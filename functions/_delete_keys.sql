-- The nulls of a batch. Without the other joins the planner probes the primary key once per id, however
-- many rows it believes a batch to have.
create or replace function _delete_keys (p_company_id text, p_data jsonb)
returns integer
language plpgsql
volatile
parallel unsafe
set search_path from current
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
declare
  v_deleted integer;
begin
  delete from whatsapp_keys k
   using jsonb_each(p_data) t
   cross join lateral jsonb_each(t.value) e
   where e.value = 'null' and k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.key;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$func$;
