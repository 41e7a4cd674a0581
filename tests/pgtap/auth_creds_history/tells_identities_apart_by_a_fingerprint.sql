begin;
\set paired '{"account": 1, "noiseKey": {"public": "n1"}, "signedIdentityKey": {"public": "i1"}}'
\set other '{"account": 1, "noiseKey": {"public": "n2"}, "signedIdentityKey": {"public": "i2"}}'
select plan(4);

set local role app;
select auth_save_creds('acme', :'paired');
select auth_save_creds('acme', :'paired'::jsonb || '{"n": 1}');
select auth_save_creds('acme', :'other', p_allow_new_identity => true);
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"', p_allow_new_identity => true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select is((select count(distinct h.identity) from auth_creds_history('acme') as h), 2::bigint, 'two identities');
select is(
  (select count(*) filter (where h.identity is null) from auth_creds_history('acme') as h), 1::bigint, 'a string without a header has none'
);
select ok((select bool_and(h.identity ~ '^[0-9a-f]{32}$') from auth_creds_history('acme') as h), 'hexadecimal');
select is(
  (select (array_agg(h.identity order by h.version))[1] from auth_creds_history('acme') as h),
  left(encode(sha256('n1.i1'), 'hex'), 32),
  'of the public keys alone: no secret goes into it'
);

select * from finish();
rollback;
