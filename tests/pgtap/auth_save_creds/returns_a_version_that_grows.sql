begin;
select plan(2);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00.000001Z', true);
select is(auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'), 1772366400000001, 'microseconds since 1970');
select is(
  auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 2}'), 1772366400000002,
  'or the previous one and one, if that is more'
);

select * from finish();
rollback;
