-- When there is nothing left to remove: leases long over go, and keys that a writer held while their
-- type's ttl was changed are brought along.
create or replace function _tidy_up (p_now timestamptz)
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $func$
begin
  delete from whatsapp_leases l
   using (select o.company_id from whatsapp_leases o where o.expires_at < p_now - interval '1 day' limit 500) o
   where l.company_id = o.company_id and l.expires_at < p_now - interval '1 day'
     and pg_try_advisory_xact_lock(_lock_key(o.company_id));
  perform _apply_ttl(t.key_type, t.ttl)
     from whatsapp_key_ttl t
    where t.changed_at is not null;
  -- After a day no writer of that time is left.
  update whatsapp_key_ttl t
     set changed_at = null
   where t.changed_at < p_now - interval '1 day';
end
$func$;
