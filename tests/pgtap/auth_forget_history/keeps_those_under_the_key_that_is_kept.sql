begin;
\ir ../sealed.psql
select plan(2);

set local role app;
select auth_save_creds('acme', c.creds)
from (
  values
  (1, '{"noiseKey": "n", "signedIdentityKey": "i"}'::jsonb),
  (2, '"eyJhbGciOiJkaXIifQ..AAAA.S3CRET.AAAA"'),
  (3, pg_temp.sealed('{"kid": "old"}')),
  (4, pg_temp.sealed('{"kid": "new"}')),
  (5, '{"noiseKey": "n", "signedIdentityKey": "i"}')
) as c (n, creds)
order by c.n;
select is(auth_forget_history('acme', 'new'), 3::bigint, 'plain ones, strings that tell no key, and those under another');
select is((select count(*) from auth_creds_history('acme')), 1::bigint, 'are gone, and no other');

select * from finish();
rollback;
