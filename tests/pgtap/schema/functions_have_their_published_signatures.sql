begin;
select plan(1);

select bag_eq(
  $$
    select p.proname || '(' || pg_get_function_arguments(p.oid) || ') returns ' || pg_get_function_result(p.oid)
    from pg_proc as p
    where
      p.pronamespace = 'public'::regnamespace
      and p.proname in (
        'auth_get_creds', 'auth_init_creds', 'auth_save_creds', 'auth_creds_version', 'auth_get_keys', 'auth_set_keys',
        'auth_save_state', 'auth_list_keys', 'auth_list_companies', 'auth_clear_keys', 'auth_delete_company', 'auth_export',
        'auth_import', 'cleanup_expired_keys', 'auth_set_ttl', 'auth_schedule_cleanup', 'auth_unschedule_cleanup',
        'auth_acquire_lease', 'auth_renew_lease', 'auth_release_lease', 'auth_stats', 'auth_schema_version',
        'auth_creds_history', 'auth_restore_creds', 'auth_forget_history', 'auth_bind_role', 'auth_unbind_role',
        'auth_configure', 'auth_list_audit', 'auth_list_leases'
      )
  $$,
  array[
    'auth_acquire_lease(p_company_id text, p_holder text, p_ttl interval DEFAULT ''00:01:00''::interval, p_steal boolean DEFAULT false,'
    || ' p_token bigint DEFAULT NULL::bigint)'
    || ' returns TABLE(acquired boolean, token bigint, holder text, expires_at timestamp with time zone)',
    'auth_clear_keys(p_company_id text, p_key_type text DEFAULT NULL::text, p_lease_token bigint DEFAULT NULL::bigint)'
    || ' returns bigint',
    'auth_bind_role(p_role_name name, p_company_id text) returns void',
    'auth_unbind_role(p_role_name name) returns boolean',
    'auth_creds_history(p_company_id text) returns TABLE(version bigint, saved_at timestamp with time zone, identity text)',
    'auth_restore_creds(p_company_id text, p_version bigint, p_lease_token bigint DEFAULT NULL::bigint) returns bigint',
    'auth_forget_history(p_company_id text, p_kept_kid text DEFAULT NULL::text, p_lease_token bigint DEFAULT NULL::bigint) returns bigint',
    'auth_configure(p_name text, p_value text) returns text',
    'auth_creds_version(p_company_id text) returns bigint',
    'auth_delete_company(p_company_id text, p_lease_token bigint DEFAULT NULL::bigint) returns bigint',
    'auth_export(p_company_id text) returns jsonb',
    'auth_get_creds(p_company_id text) returns jsonb',
    'auth_get_keys(p_company_id text, p_key_type text, p_key_ids text[]) returns json',
    'auth_get_keys(p_company_id text, p_keys jsonb) returns json',
    'auth_import(p_company_id text, p_state jsonb, p_mode text DEFAULT ''new''::text,'
    || ' p_lease_token bigint DEFAULT NULL::bigint, p_allow_new_identity boolean DEFAULT false) returns bigint',
    'auth_init_creds(p_company_id text, p_creds jsonb, p_lease_token bigint DEFAULT NULL::bigint) returns jsonb',
    'auth_list_audit(p_company_id text DEFAULT NULL::text, p_before timestamp with time zone DEFAULT NULL::timestamp with time zone,'
    || ' p_limit integer DEFAULT 1000) returns TABLE(at timestamp with time zone, company_id text, action text, login name,'
    || ' on_behalf_of text, role name, application_name text, holder text, rows bigint, details jsonb)',
    'auth_list_companies(p_after text DEFAULT NULL::text, p_limit integer DEFAULT 1000)'
    || ' returns TABLE(company_id text, version bigint, keys bigint, updated_at timestamp with time zone)',
    'auth_list_keys(p_company_id text, p_key_type text, p_after text DEFAULT NULL::text, p_limit integer DEFAULT 1000,'
    || ' p_values boolean DEFAULT true)'
    || ' returns TABLE(key_id text, value jsonb, updated_at timestamp with time zone, expires_at timestamp with time zone)',
    'auth_list_leases(p_after text DEFAULT NULL::text, p_limit integer DEFAULT 1000)'
    || ' returns TABLE(company_id text, holder text, acquired_at timestamp with time zone, expires_at timestamp with time zone,'
    || ' is_live boolean)',
    'auth_release_lease(p_company_id text, p_token bigint) returns boolean',
    'auth_renew_lease(p_company_id text, p_token bigint, p_ttl interval DEFAULT ''00:01:00''::interval)'
    || ' returns timestamp with time zone',
    'auth_save_creds(p_company_id text, p_creds jsonb, p_expected_version bigint DEFAULT NULL::bigint,'
    || ' p_lease_token bigint DEFAULT NULL::bigint, p_allow_new_identity boolean DEFAULT false) returns bigint',
    'auth_save_state(p_company_id text, p_creds jsonb, p_data jsonb, p_lease_token bigint DEFAULT NULL::bigint,'
    || ' p_expected_version bigint DEFAULT NULL::bigint, p_allow_new_identity boolean DEFAULT false) returns bigint',
    'auth_schedule_cleanup(p_schedule text DEFAULT ''0 */6 * * *''::text) returns bigint',
    'auth_schema_version() returns text',
    'auth_set_keys(p_company_id text, p_data jsonb, p_lease_token bigint DEFAULT NULL::bigint) returns integer',
    'auth_set_ttl(p_key_type text, p_ttl interval, p_force boolean DEFAULT false) returns bigint',
    'auth_stats(p_company_id text DEFAULT NULL::text)'
    || ' returns TABLE(company_id text, key_type text, keys bigint, bytes bigint, largest bigint,'
    || ' oldest timestamp with time zone, newest timestamp with time zone, expired bigint)',
    'auth_unschedule_cleanup() returns boolean',
    'cleanup_expired_keys(p_batch_size integer DEFAULT 10000, p_dry_run boolean DEFAULT false, p_company_id text DEFAULT NULL::text)'
    || ' returns bigint'
  ],
  'names, arguments, defaults and results'
);

select * from finish();
rollback;
