-- Missing is missing, whatever was there.
begin;
\ir ../refuses.psql
select plan(2);

-- As an earlier version stored them.
insert into whatsapp_auth values ('acme', '{"account": {"details": "d"}}', 1, now(), now());
set local role app;
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"account": {"details": "S3CRET"}}')$$, 'WA001', 'p_creds["noiseKey"] is missing.', 'both are missing'
);
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}')$$, 'WA005', null, 'they are those of some identity'
);

select * from finish();
rollback;
