begin;
\set paired '{"account": 1, "noiseKey": {"public": "n1"}, "signedIdentityKey": {"public": "i1"}}'
\set other '{"account": 1, "noiseKey": {"public": "n2"}, "signedIdentityKey": {"public": "i2"}}'
select plan(1);

set local role app;
select auth_init_creds('acme', :'paired');
select auth_save_creds('acme', :'paired'::jsonb || '{"n": 1}');
select auth_save_state('acme', :'other', '{}', p_allow_new_identity => true);
select auth_restore_creds('acme', (select max(h.version) from auth_creds_history('acme') as h));
select results_eq(
  $$select a.action, a.details ? 'version' from auth_list_audit('acme') as a$$,
  $$values ('creds_restored', true), ('creds_new_identity', null), ('creds_created', null)$$,
  'but not every save'
);

select * from finish();
rollback;
