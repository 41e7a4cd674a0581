begin;
\set paired '{"account": 1, "noiseKey": {"public": "n1"}, "signedIdentityKey": {"public": "i1"}}'
\set other '{"account": 1, "noiseKey": {"public": "n2"}, "signedIdentityKey": {"public": "i2"}}'
select plan(1);

set local role app;
select auth_save_creds('acme', :'paired');
select auth_save_creds('acme', :'other', p_allow_new_identity => true);
select auth_restore_creds('acme', (select h.version from auth_creds_history('acme') as h));
select is(auth_get_creds('acme'), :'paired'::jsonb, 'this is what it is for');

select * from finish();
rollback;
