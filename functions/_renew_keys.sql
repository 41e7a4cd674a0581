-- An unchanged write keeps a key with a ttl alive, at most once a day or once its time is up. A row that a
-- cleanup renews at this moment is not waited for.
create or replace function _renew_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
set timezone = 'UTC'
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $func$
begin
  update whatsapp_keys k
     set updated_at = p_now, expires_at = p_now + free.ttl
    from (
      select s.key_type, s.key_id, l.ttl
        from jsonb_each(p_data) t
        join whatsapp_key_ttl l on l.key_type = t.key
       cross join lateral jsonb_object_keys(t.value) e (id)
        join whatsapp_keys s on s.company_id = p_company_id and s.key_type = t.key and s.key_id = e.id
       where s.expires_at is not null
         and (s.updated_at <= p_now - interval '1 day' or s.expires_at <= p_now)
         for no key update of s skip locked
    ) free
   where k.company_id = p_company_id and k.key_type = free.key_type and k.key_id = free.key_id;
end
$func$;
