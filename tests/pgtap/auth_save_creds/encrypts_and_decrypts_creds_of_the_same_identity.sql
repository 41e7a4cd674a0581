begin;
\ir ../refuses.psql
\ir ../sealed.psql
\set noise '{"noiseKey": {"public": {"type": "Buffer", "data": "bm9pc2U="}}}'
\set own '{"signedIdentityKey": {"public": {"type": "Buffer", "data": "b3du"}}}'
select plan(6);

set local role app;
select auth_save_creds('acme', :'noise'::jsonb || :'own'::jsonb || '{"account": {"details": "d"}}');
select set_config(
  'test.sealed',
  pg_temp.sealed(jsonb_build_object('paired', true, 'identity', left(encode(sha256('bm9pc2U=.b3du'), 'hex'), 32)))::text,
  true
);
select lives_ok(format('select auth_save_creds(%L, %L)', 'acme', current_setting('test.sealed')), 'encrypted over plain');
select lives_ok(
  format('select auth_save_creds(%L, %L)', 'acme', :'noise'::jsonb || :'own'::jsonb || '{"account": {"details": "e"}}'),
  'plain over encrypted'
);
select pg_temp.refuses(
  format('select auth_save_creds(%L, %L)', 'acme', pg_temp.sealed('{"paired": true, "identity": "00000000000000000000000000000000"}')),
  'WA005', null, 'but not others over plain'
);
select auth_save_creds('acme', current_setting('test.sealed')::jsonb);
select is(
  (select count(distinct h.identity) from auth_creds_history('acme') as h), 1::bigint, 'the history tells one identity'
);
select is((select count(*) from auth_creds_history('acme')), 3::bigint, 'of all of them');
reset role;
select is_empty($$select from whatsapp_audit as a where a.action = 'creds_new_identity'$$, 'and the log of no other');

select * from finish();
rollback;
