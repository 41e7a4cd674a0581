-- WhatsApp Web auth state in PostgreSQL 15 and later: credentials and Signal keys of any number of
-- accounts ("companies"), behind SQL functions that are one atomic batch each.
--
-- This file installs and upgrades: run it with `psql -X -v ON_ERROR_STOP=1 -f`, paste it into an SQL editor, or
-- let `pg-auth-state install` run it. It is one transaction of its own under one advisory lock: what else psql -1
-- is given is not in it. Migrations run once
-- per database, everything else is applied again each time; running it twice changes nothing.
-- Everything goes into the schema that is first in search_path; a schema named there that does not
-- exist is created. The installer may be any login with CREATEROLE that owns the schema.
--
-- Tables
--   whatsapp_auth        creds of a company, with a version that only grows
--   whatsapp_keys        Signal keys by company, key type and key id; expires_at where the type has a ttl
--   whatsapp_leases      who may write a company at present, and the fencing token that proves it
--   whatsapp_auth_history  earlier creds: the last few, and the last before each change of identity
--   whatsapp_audit       who did what to which company when; never a value
--   whatsapp_key_ttl     how long keys of a type live without being written
--   whatsapp_settings    settings of the package that are not at their default
--   whatsapp_tenant_roles  which company a database login is confined to
--   whatsapp_migrations  which migrations ran
--
-- The functions are the only door: tables and functions belong to auth_state_owner, which nobody can
-- log in as, and no other role has a privilege on a table. Each function first asks who is calling: the role
-- that was set, or the login. Behind that stands row-level security, forced, on the same answer, so that a
-- mistake in a function still shows and changes nobody else's rows.
--   auth_state_service   a trusted back end: every company; set local auth_state.company_id narrows it to one
--   auth_state_tenant    one company: the one its login is bound to (auth_bind_role, which outranks all else),
--                        or the company_id claim of request.jwt.claims where a proxy logged in
--   auth_state_proxy     whose claims are believed: PostgREST's authenticator
--   auth_state_monitor   numbers, leases and the audit log; never creds or a value
-- Supabase's service_role, authenticated and authenticator are made members of the first three.
--
-- How a writing function works, always in this order
--   1. that the caller may act for the company; the arguments are checked whole before anything is written
--   2. the isolation level must be READ COMMITTED: any other would see a snapshot older than the lock
--   3. the company's advisory lock is taken in a statement of its own, until the transaction ends
--   4. the clock is read, then the lease, then the version: all of them after the lock
--   5. set-based statements write what really changed
-- The lock makes check and write one, keeps overlapping batches free of deadlocks, and never makes
-- two companies wait for each other. No session state is kept, so a transaction-mode pooler is fine.
--
-- Reading     auth_get_creds auth_get_keys auth_creds_version auth_list_keys auth_list_companies
--             auth_export auth_stats auth_status auth_schema_version
-- Writing     auth_init_creds auth_save_creds auth_set_keys auth_save_state auth_import
--             auth_clear_keys auth_delete_company
-- History     auth_creds_history auth_restore_creds auth_forget_history
-- Leases      auth_acquire_lease auth_renew_lease auth_release_lease auth_list_leases
-- Access      auth_bind_role auth_unbind_role auth_list_audit
-- Settings    auth_configure
-- Expiry      cleanup_expired_keys auth_set_ttl auth_schedule_cleanup auth_unschedule_cleanup
--             auth_cleanup_job
--
-- Error codes: WA001 invalid input, WA002 lease held or lost, WA003 version conflict, WA004 no such
-- company or version, WA005 identity change refused, WA006 unsafe or impossible request.
--
-- Of a session: auth_state.company_id, the one company a service confines itself to; auth_state.on_behalf_of, for
-- whom a service or a proxy acts, for the audit log; auth_state.lock_wait, a shorter wait for a company than the
-- setting lock_wait. Everything else is kept by auth_configure.
--
-- A lease belongs to the history of the server on which it was given: after a promotion, a point-in-time recovery, a
-- restore or a copy it is over. Nothing is believed that holds only while everything is as installed: a function of
-- another owner, missing policies, a database that is not UTF8 are errors, never "no creds".

begin;
set local transaction_isolation = 'read committed';
set local transaction_read_only = off;
set local row_security = on;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;
