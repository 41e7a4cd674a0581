begin;
select plan(1);

set local role app;
select auth_init_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select auth_set_keys('acme', '{"session": {"4930111111.0": "S3CRET"}}');
select auth_clear_keys('acme');
select auth_delete_company('acme');
select auth_import(
  'acme', '{"format": 1, "creds": {"noiseKey": "S3CRET", "signedIdentityKey": "i"}, "keys": {"session": {"4930111111.0": 1}}}'
);
select is_empty($$select * from auth_list_audit() as a where a::text ~ 'S3CRET|4930111111'$$, 'whatever was done');

select * from finish();
rollback;
