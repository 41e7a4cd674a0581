begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select set_config('test.version', auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1, "b": [2]}')::text, true);
select set_config('test.row', ctid::text, true) from whatsapp_auth;
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);

select is(
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "b": [2.0], "a": 1}'), current_setting('test.version')::bigint,
  'they keep their version'
);
select is((select updated_at from whatsapp_auth), '2026-03-01 12:00:00Z', 'and their time');
select is((select ctid from whatsapp_auth), current_setting('test.row')::tid, 'no row was written');

select * from finish();
rollback;
