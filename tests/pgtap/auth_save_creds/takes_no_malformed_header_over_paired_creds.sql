begin;
\ir ../refuses.psql
select plan(18);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "account": {"details": "d"}}');
select pg_temp.refuses(
  format('select auth_save_creds(%L, %L)', 'acme', to_jsonb(c.creds)), 'WA001', 'p_creds is a string that is no JWE in compact form.',
  c.description
)
from (
  values
  ('', 'empty'),
  ('eyJ', 'three letters'),
  ('eyJ..', 'a header of three letters'),
  ('eyJSQ..AAAA.AAAA.AAAA', 'a length that base64url does not have'),
  ('eyJSECRETS3CRET..AAAA.AAAA.AAAA', 'no JSON'),
  ('eyJTM0NSRVQiOv8..AAAA.AAAA.AAAA', 'no UTF-8'),
  ('eyJhIjoiXHUwMDAwIn0..AAAA.AAAA.AAAA', 'NUL, which jsonb has not'),
  ('eyJhIjoxfXt9..AAAA.AAAA.AAAA', 'two objects'),
  ('eyJ=..AAAA.AAAA.AAAA', 'padding'),
  ('eyJ+/..AAAA.AAAA.AAAA', 'the other alphabet'),
  ('eyJé..AAAA.AAAA.AAAA', 'no base64url at all'),
  ('eyJhIjoxfQ..AAAA.AAAA', 'four parts'),
  ('eyJhIjoxfQ..AAAA.AAAA.AAAA.AAAA', 'six parts'),
  ('eyJhIjoxfQ....', 'nothing behind the header'),
  (translate(encode(convert_to('{"a":' || repeat('[', 100000), 'UTF8'), 'base64'), e'+/=\n', '-_') || '..A.A.A', 'deeper than the stack'),
  (translate(encode(convert_to('{"a":"' || repeat('S3CRET', 100000), 'UTF8'), 'base64'), e'+/=\n', '-_') || '..A.A.A', 'large and torn')
) as c (creds, description);
select pg_temp.refuses(
  $$select auth_save_creds('acme', '"eyJhIjoxfQ.AAAA.AAAA.S3CRET.AAAA"')$$, 'WA005', null, 'a header that says nothing of the identity'
);
select is(auth_get_creds('acme') ->> 'noiseKey', 'n', 'nothing was written');

select * from finish();
rollback;
