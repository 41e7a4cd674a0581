begin;
select plan(6);

set local role app;
select lives_ok(format($$select auth_init_creds(%L, %L)$$, 'company ' || c.n, c.creds), c.creds)
from (
  values
  (1, '{"noiseKey": 1, "signedIdentityKey": 2}'),
  (2, '{"noiseKey": {"private": {"type": "Buffer", "data": "AQ=="}}, "signedIdentityKey": {}}'),
  (3, '{"noiseKey": [], "signedIdentityKey": ""}'),
  (4, '{"noiseKey": false, "signedIdentityKey": 0}'),
  (5, '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"')
) as c (n, creds);
select is((select count(l.version) from auth_list_companies() as l), 5::bigint, 'all are there');

select * from finish();
rollback;
