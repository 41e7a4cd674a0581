begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}');

select results_eq(
  'select created_at, updated_at from whatsapp_auth',
  $$values (timestamptz '2026-03-01 12:00:00Z', timestamptz '2026-03-02 12:00:00Z')$$,
  'created_at stays, updated_at moves'
);

select * from finish();
rollback;
