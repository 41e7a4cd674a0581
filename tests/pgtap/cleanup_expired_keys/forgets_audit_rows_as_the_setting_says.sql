begin;
\ir ../refuses.psql
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{}');
select set_config('auth_state.now', '2026-03-11 12:00:00Z', true);
select set_config('auth_state.audit_retention', '11 days', true);
select cleanup_expired_keys();
select isnt_empty($$select * from auth_list_audit()$$, 'not before');
select set_config('auth_state.audit_retention', '9 days', true);
select cleanup_expired_keys();
select is_empty($$select * from auth_list_audit()$$, 'then');
select set_config('auth_state.audit_retention', 'S3CRET', true);
select pg_temp.refuses($$select cleanup_expired_keys()$$, 'WA001', 'auth_state.audit_retention', 'no time');

select * from finish();
rollback;
