-- To the identity guard both halves count: without the private ones the account is lost.
begin;
\set good '{"account": 1, "noiseKey": {"public": "n", "private": "a"}, "signedIdentityKey": {"public": "i", "private": "b"}}'
\set bad '{"account": 1, "noiseKey": {"public": "n", "private": "x"}, "signedIdentityKey": {"public": "i", "private": "y"}}'
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', :'good');
select set_config('test.good', auth_creds_version('acme')::text, true);
select throws_ok(format('select auth_save_creds(''acme'', %L)', :'bad'), 'WA005', null, 'the guard refuses it');
select auth_save_creds('acme', :'bad'::jsonb || jsonb_build_object('n', i), p_allow_new_identity => true)
from generate_series(1, 20) as i;
select ok(
  current_setting('test.good')::bigint in (select h.version from auth_creds_history('acme') as h),
  'where it is allowed, there is a way back'
);
select is(
  (
    select count(*) from auth_list_audit('acme') as a
    where a.action = 'creds_new_identity'
  ),
  1::bigint, 'and the log says so'
);

select * from finish();
rollback;
