begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 2}');
select is((select h.saved_at from auth_creds_history('acme') as h), timestamptz '2026-03-01 12:00:00Z', 'not when they were replaced');

select * from finish();
rollback;
