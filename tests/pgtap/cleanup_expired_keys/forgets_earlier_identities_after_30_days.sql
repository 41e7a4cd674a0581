begin;
\set paired '{"account": 1, "noiseKey": {"public": "n1"}, "signedIdentityKey": {"public": "i1"}}'
\set other '{"account": 1, "noiseKey": {"public": "n2"}, "signedIdentityKey": {"public": "i2"}}'
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', :'paired');
select auth_save_creds('acme', :'other'::jsonb || jsonb_build_object('n', i), p_allow_new_identity => true)
from generate_series(1, 20) as i;
select set_config('auth_state.now', '2026-03-31 11:59:00Z', true);
select cleanup_expired_keys();
select is((select count(*) from auth_creds_history('acme')), 6::bigint, 'not before');
select set_config('auth_state.now', '2026-03-31 12:00:01Z', true);
select cleanup_expired_keys();
select is((select count(*) from auth_creds_history('acme')), 5::bigint, 'then; the last versions stay whatever their age');

select * from finish();
rollback;
