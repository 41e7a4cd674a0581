begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "me": {"id": "962302:23@s.whatsapp.net"}}');
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$, 'WA005', null, 'another noiseKey'
);
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "S3CRET"}')$$, 'WA005', null, 'another signedIdentityKey'
);
select auth_save_creds('globex', '{"noiseKey": "n", "signedIdentityKey": "i", "me": {"id": "118:0@lid"}}');
select pg_temp.refuses(
  $$select auth_save_creds('globex', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$, 'WA005', null, 'a LID with a device too'
);

select * from finish();
rollback;
