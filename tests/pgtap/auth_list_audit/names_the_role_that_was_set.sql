begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select results_eq(
  $$select a.login, a.role from auth_list_audit() as a$$, $$values ('postgres'::name, 'app'::name)$$, 'beside the login'
);

select * from finish();
rollback;
