begin;
\ir ../sealed.psql
select plan(10);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "S3CRET", "account": {"details": "d"}, "signedIdentityKey": "i"}');
select auth_save_creds('globex', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}');
select auth_save_creds('umbrella', pg_temp.sealed('{"paired": true, "identity": "0123456789abcdef0123456789abcdef"}'));
select auth_set_keys('acme', '{"session": {"1.0": "S3CRET"}, "lid-mapping": {"962302": "118"}}');
select auth_set_keys('initech', '{"session": {"1.0": "S3CRET", "2.0": "S3CRET"}}');
select * from auth_acquire_lease('acme', 'worker-1', '30 days');
select * from auth_acquire_lease('globex', 'worker-1', '1 minute');
select set_config('auth_state.now', '2026-03-07 13:00:00Z', true);
select auth_set_keys('globex', '{"lid-mapping": {"962302": "118"}}');
select set_config('test.status', auth_status()::text, true);

select is(current_setting('test.status')::jsonb -> 'accounts', '4', 'accounts with creds or keys');
select is(current_setting('test.status')::jsonb -> 'paired', '2', 'paired ones');
select is(current_setting('test.status')::jsonb -> 'encrypted', '1', 'encrypted ones');
select is(current_setting('test.status')::jsonb -> 'live_leases', '1', 'leases that are live');
select is(current_setting('test.status')::jsonb ->> 'version', auth_schema_version(), 'the installed version');
select is(current_setting('test.status')::jsonb ->> 'schema', 'public', 'where');
select is(
  (select jsonb_agg(k - 'bytes' - 'largest') from jsonb_array_elements(current_setting('test.status')::jsonb -> 'keys') as k),
  '[
    {"key_type": "lid-mapping", "keys": 2, "expired": 0, "expiring": 1, "ttl": "7 days"},
    {"key_type": "session", "keys": 3, "expired": 0, "expiring": 0, "ttl": null}
  ]'::jsonb,
  'keys by type'
);
select cmp_ok((current_setting('test.status')::jsonb -> 'relation_bytes')::bigint, '>', 0::bigint, 'what it takes on disk');
select is(jsonb_typeof(current_setting('test.status')::jsonb -> 'warnings'), 'array', 'warnings');
select unalike(current_setting('test.status'), '%S3CRET%', 'and never a value');

select * from finish();
rollback;
