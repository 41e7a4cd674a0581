begin;
\ir ../refuses.psql
select plan(4);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select pg_temp.refuses($$select auth_restore_creds('acme', 1)$$, 'WA004', null, 'that never was');
select pg_temp.refuses($$select auth_restore_creds('acme', auth_creds_version('acme'))$$, 'WA004', null, 'that is the present one');
select pg_temp.refuses($$select auth_restore_creds('acme', null)$$, 'WA004', null, 'null');
select auth_save_creds('globex', jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', i)) from generate_series(1, 2) as i;
select pg_temp.refuses(
  $$select auth_restore_creds('acme', (select h.version from auth_creds_history('globex') as h))$$, 'WA004', null, 'another company''s'
);

select * from finish();
rollback;
