-- A restore of rows begins with one, and often leaves the leases alone.
begin;
\ir ../refuses.psql
select plan(7);

select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}', '{"session": {"1.0": 1}}');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '1 hour') as l;
truncate whatsapp_auth;
select is((select l.is_live from auth_list_leases() as l), false, 'of creds');
select pg_temp.refuses(
  format('select auth_set_keys(''acme'', ''{"session": {"1.0": "S3CRET"}}'', %s)', current_setting('test.token')),
  'WA002', null, 'the token is refused'
);
select is(
  (select l.acquired from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l),
  false, 'and the lease is not resumed'
);
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1', '1 hour') as l;
select is((select l.is_live from auth_list_leases() as l), true, 'it is acquired anew');
truncate whatsapp_keys;
select is((select l.is_live from auth_list_leases() as l), false, 'of keys');
select is((select count(*) from auth_list_leases()), 1::bigint, 'who had it is still said');
select l.acquired from auth_acquire_lease('acme', 'worker-1', '1 hour') as l;
set local role auth_state_owner;
truncate whatsapp_keys;
reset role;
select is((select l.is_live from auth_list_leases() as l), false, 'whoever truncates');

select * from finish();
rollback;
