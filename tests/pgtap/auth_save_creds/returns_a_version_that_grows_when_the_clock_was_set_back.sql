begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select set_config('auth_state.now', '2026-02-01 12:00:00Z', true);
select is(auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'), 1772366400000001, 'the previous one and one');

select * from finish();
rollback;
