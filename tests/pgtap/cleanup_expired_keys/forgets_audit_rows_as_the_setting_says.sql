begin;
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.now', '2026-03-11 12:00:00Z', true);
select auth_configure('audit_retention', '11 days');
select cleanup_expired_keys();
select isnt_empty($$select * from auth_list_audit('acme')$$, 'not before');
select auth_configure('audit_retention', '9 days');
select cleanup_expired_keys();
select is_empty($$select * from auth_list_audit('acme')$$, 'then');

select * from finish();
rollback;
