-- An unchanged write keeps a key with a ttl alive, at most once a day (or once its time is up).
create or replace function _renew_keys (p_company_id text, p_data jsonb, p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $func$
begin
  update whatsapp_keys k
     set updated_at = p_now, expires_at = p_now + l.ttl
    from jsonb_each(p_data) t
    join whatsapp_key_ttl l on l.key_type = t.key
   cross join lateral jsonb_object_keys(t.value) e (id)
   where k.company_id = p_company_id and k.key_type = t.key and k.key_id = e.id
     and k.expires_at is not null
     and (k.updated_at <= p_now - interval '1 day' or k.expires_at <= p_now);
end
$func$;
