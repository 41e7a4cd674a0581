-- An earlier version stored anything.
begin;
\ir ../refuses.psql
select plan(5);

insert into whatsapp_auth (company_id, creds, version, created_at, updated_at)
values ('acme', '{"S3CRET": 1}', 7, now(), now()), ('beta', '"S3CRET"', 7, now(), now());
set local role app;
\set good '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}'
select pg_temp.refuses(
  format('select auth_init_creds(''acme'', %L)', :'good'), 'WA006', 'creds["noiseKey"] is missing.', 'init, over an object'
);
select pg_temp.refuses(
  format('select auth_init_creds(''beta'', %L)', :'good'), 'WA006', 'creds is a string', 'init, over a word'
);
select pg_temp.refuses(
  format($$select auth_import('acme', '{"format": 1, "creds": %s, "keys": {}}', 'merge')$$, :'good'),
  'WA006', 'is missing.', 'a merge keeps them'
);
select pg_temp.refuses(
  $$select auth_import('acme', '{"format": 1, "keys": {"session": {"1.0": "S3CRET"}}}', 'merge')$$,
  'WA006', 'is missing.', 'also a merge of keys alone'
);
select lives_ok(
  format($$select auth_import('acme', '{"format": 1, "creds": %s, "keys": {}}', 'replace', p_allow_new_identity => true)$$, :'good'),
  'a replacement is the way out'
);

select * from finish();
rollback;
