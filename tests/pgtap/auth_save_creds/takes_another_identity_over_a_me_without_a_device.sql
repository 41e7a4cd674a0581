-- Baileys sets it while a pairing code is pending.
begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "me": {"id": "962302@s.whatsapp.net", "name": "~"}}');
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "o", "signedIdentityKey": "j"}')$$, 'nobody was paired yet');

select * from finish();
rollback;
