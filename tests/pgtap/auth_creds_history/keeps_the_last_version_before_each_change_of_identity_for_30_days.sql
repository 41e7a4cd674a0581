-- One re-pairing saves creds more than five times.
begin;
\set paired '{"account": 1, "noiseKey": {"public": "n1"}, "signedIdentityKey": {"public": "i1"}}'
\set other '{"account": 1, "noiseKey": {"public": "n2"}, "signedIdentityKey": {"public": "i2"}}'
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', :'paired');
select set_config('test.paired', auth_creds_version('acme')::text, true);
select auth_save_creds('acme', :'other'::jsonb || jsonb_build_object('n', i), p_allow_new_identity => true)
from generate_series(1, 20) as i;
select is((select count(*) from auth_creds_history('acme')), 6::bigint, 'beside the last five');
select is(
  (select min(h.version) from auth_creds_history('acme') as h), current_setting('test.paired')::bigint, 'the one before the change'
);
select set_config('auth_state.now', '2026-03-31 12:00:01Z', true);
select auth_save_creds('acme', :'other');
select is((select count(*) from auth_creds_history('acme')), 5::bigint, 'after 30 days it goes with the next write');

select * from finish();
rollback;
