create or replace function _apply_ttl (p_key_type text, p_ttl interval)
returns bigint
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set lock_timeout = '100ms'
as $func$
declare
  v_changed bigint;
begin
  -- SKIP LOCKED waits all the same where a row's writer ends at that very moment, and the next one has changed the row
  -- (heap_lock_updated_tuple in PostgreSQL's heapam.c). That writer may be waiting for a row of ours: we give way.
  for v_attempt in 1 .. 50 loop
    begin
      update whatsapp_keys k
         set expires_at = k.updated_at + p_ttl
        from (
          select f.company_id, f.key_id
            from whatsapp_keys f
           where f.key_type = p_key_type and f.expires_at is distinct from f.updated_at + p_ttl
             for no key update skip locked
        ) free
       where k.company_id = free.company_id and k.key_type = p_key_type and k.key_id = free.key_id;
      get diagnostics v_changed = row_count;
      exit;
    exception
      when lock_not_available then
        if v_attempt = 50 then
          raise;
        end if;
    end;
  end loop;
  return v_changed;
end
$func$;
