-- What a client does, call by call, from psql: psql -d postgresql://my_backend@host/db -v ON_ERROR_STOP=1 -f calls.sql
-- Everything is rolled back at the end.
begin;

-- Creds. The first of several processes wins, and all of them get its creds.
select auth_init_creds('962302', '{"registrationId": 1, "noiseKey": {"type": "Buffer", "data": "AQI="}, "signedIdentityKey": {"type": "Buffer", "data": "AwQ="}}') as creds;
select auth_creds_version('962302') as version \gset
select auth_save_creds('962302', '{"registrationId": 2, "noiseKey": {"type": "Buffer", "data": "AQI="}, "signedIdentityKey": {"type": "Buffer", "data": "AwQ="}}', p_expected_version => :version) > :version as newer;

-- Keys: a batch of any types is written whole or not at all; null deletes; unchanged is not written.
select auth_set_keys('962302', '{"session": {"5511900000002.0": {"version": "v1"}}, "pre-key": {"7": null}}') as changed;
select auth_set_keys('962302', '{"session": {"5511900000002.0": {"version": "v1"}}}') as changed_again;
select auth_get_keys('962302', 'session', '{5511900000002.0,5511900000003.0}') as sessions;
select key_id, updated_at from auth_list_keys('962302', 'session', p_values => false);

-- The right to write, for a minute; from now on every write wants the token.
select token from auth_acquire_lease('962302', 'server-1') where acquired \gset
select auth_set_keys('962302', '{"session": {"5511900000002.0": null}}', p_lease_token => :token) as deleted;
savepoint before_refusal;
\set ON_ERROR_STOP off
select auth_set_keys('962302', '{"session": {"5511900000002.0": {"version": "v1"}}}'); -- refused: WA002
\echo without the token: :LAST_ERROR_SQLSTATE
\set ON_ERROR_STOP on
rollback to before_refusal;
select auth_renew_lease('962302', :token) > now() as renewed;
select auth_release_lease('962302', :token) as released;

-- Logout.
select auth_delete_company('962302') as rows_deleted;

rollback;
