-- To PostgreSQL it is another name of read committed.
begin;
set local transaction_isolation = 'read uncommitted';
select plan(1);

set local role app;
select lives_ok($$select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}')$$, 'a write');

select * from finish();
rollback;
