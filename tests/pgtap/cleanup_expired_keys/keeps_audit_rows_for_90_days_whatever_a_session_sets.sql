-- Whoever took a back end over must not be able to wipe away at once what it did.
begin;
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.audit_retention', '1 microsecond', true);
select set_config('auth_state.now', '2026-05-30 11:59:59Z', true);
select cleanup_expired_keys();
select isnt_empty($$select * from auth_list_audit()$$, 'not before');
select set_config('auth_state.now', '2026-05-30 12:00:01Z', true);
select cleanup_expired_keys();
select is_empty($$select * from auth_list_audit()$$, 'then');

select * from finish();
rollback;
