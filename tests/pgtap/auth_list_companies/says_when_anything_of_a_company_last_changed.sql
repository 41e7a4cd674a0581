begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state('by its creds', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"session": {"1.0": 1}}');
select auth_save_state('by its keys', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"session": {"1.0": 1}}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_save_creds('by its creds', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select auth_set_keys('by its keys', '{"session": {"1.0": 2}}');

select is_empty($$select * from auth_list_companies() where updated_at <> '2026-03-02 12:00:00Z'$$, 'the later of both');

select * from finish();
rollback;
