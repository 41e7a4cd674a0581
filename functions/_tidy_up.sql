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
   where l.company_id in (
     select o.company_id from whatsapp_leases o where o.expires_at < p_now - interval '1 day' for update skip locked
   );
  perform _apply_ttl(t.key_type, t.ttl)
     from whatsapp_key_ttl t
    where t.changed_at > p_now - interval '1 day';
end
$func$;
