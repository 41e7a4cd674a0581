begin;
select plan(4);

select col_is_pk('whatsapp_auth', 'company_id', 'whatsapp_auth');
select col_is_pk('whatsapp_keys', array['company_id', 'key_type', 'key_id'], 'whatsapp_keys');
select col_is_pk('whatsapp_leases', 'company_id', 'whatsapp_leases');
select col_is_pk('whatsapp_key_ttl', 'key_type', 'whatsapp_key_ttl is per type');

select * from finish();
rollback;
