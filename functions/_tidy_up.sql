-- When there is nothing left to remove: leases, audit rows and history past their time go, a batch of each, and
-- keys that a writer held while their type's ttl was changed are brought along.
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
  delete from whatsapp_audit a
   using (
     select o.company_id, o.at, o.audit_id
       from whatsapp_audit o
      where o.at < p_now - _span(_setting('audit_retention'))
      order by o.at
      limit 10000
   ) o
   where a.company_id = o.company_id and a.at = o.at and a.audit_id = o.audit_id;
  -- The last versions stay whatever their age.
  delete from whatsapp_auth_history h
   using (
     select o.company_id, o.version
       from whatsapp_auth_history o
      where o.ends_identity and o.replaced_at < p_now - interval '30 days'
        and (select count(*) from whatsapp_auth_history n
              where n.company_id = o.company_id and n.version > o.version) >= _setting('history_versions')::integer
      limit 10000
   ) o
   where h.company_id = o.company_id and h.version = o.version;
  perform _apply_ttl(t.key_type, t.ttl)
     from whatsapp_key_ttl t
    where t.changed_at is not null;
  -- After a day no writer of that time is left.
  update whatsapp_key_ttl t
     set changed_at = null
   where t.changed_at < p_now - interval '1 day';
end
$func$;
