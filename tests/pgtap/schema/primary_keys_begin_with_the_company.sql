begin;
select plan(7);

select col_is_pk('whatsapp_auth', 'company_id', 'whatsapp_auth');
select col_is_pk('whatsapp_keys', array['company_id', 'key_type', 'key_id'], 'whatsapp_keys');
select col_is_pk('whatsapp_leases', 'company_id', 'whatsapp_leases');
select col_is_pk('whatsapp_auth_history', array['company_id', 'version'], 'whatsapp_auth_history');
select col_is_pk('whatsapp_audit', array['company_id', 'at', 'audit_id'], 'whatsapp_audit');
select col_is_pk('whatsapp_tenant_roles', 'role_name', 'whatsapp_tenant_roles is per role');
select col_is_pk('whatsapp_key_ttl', 'key_type', 'whatsapp_key_ttl is per type');

select * from finish();
rollback;
