begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}', p_lease_token => current_setting('test.token')::bigint);
select results_eq(
  $$select a.action, a.holder from auth_list_audit() as a$$,
  $$values ('creds_created', 'worker-1'), ('lease_acquired', 'worker-1')$$,
  'under whose lease'
);

select * from finish();
rollback;
