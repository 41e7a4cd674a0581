begin;
select plan(3);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00.123456Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}, "n": 1.50}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_set_keys(
  'acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}, "session": {"1.0": {"a": 1}}, "%": {"''\"\\": []}}'
);
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);
select auth_set_keys('acme', '{"pre-key": {"7": {"type": "Buffer", "data": "AQID"}}}');
select set_config('test.export', auth_export('acme')::text, true);
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

select is(auth_import('globex', current_setting('test.export')::jsonb), 6::bigint, 'one row of creds, five of keys');
select is(auth_export('globex'), current_setting('test.export')::jsonb, 'a second export is equal, times included');
select is(auth_export('globex')::text, current_setting('test.export'), 'to the letter');

select * from finish();
rollback;
