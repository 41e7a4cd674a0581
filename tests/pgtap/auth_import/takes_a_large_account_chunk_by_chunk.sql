begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1, "2.0": 2}, "pre-key": {"7": 3}}'
);
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_import('globex', auth_export('acme') #- '{keys,session}' #- '{times,session}', 'new');
select auth_import('globex', (auth_export('acme') - 'creds' - 'creds_updated_at') #- '{keys,pre-key}' #- '{keys,session,1.0}', 'merge');
select auth_import('globex', (auth_export('acme') - 'creds' - 'creds_updated_at') #- '{keys,pre-key}' #- '{keys,session,2.0}', 'merge');
select is(auth_export('globex'), auth_export('acme'), 'new, then merge, in one transaction');

select * from finish();
rollback;
