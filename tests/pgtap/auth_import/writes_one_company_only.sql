begin;
select plan(1);

set local role app;
select auth_save_state('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}}');
select set_config('test.export', auth_export('globex')::text, true);
select auth_import(
  'acme', '{"format": 1, "creds": {"noiseKey": "n", "signedIdentityKey": "i"}, "keys": {"session": {"1.0": 2}}}', 'replace'
);
select is(auth_export('globex'), current_setting('test.export')::jsonb, 'the other one is as it was');

select * from finish();
rollback;
