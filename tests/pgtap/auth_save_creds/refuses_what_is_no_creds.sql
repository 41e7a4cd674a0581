begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}');
select pg_temp.refuses(format('select auth_save_creds(''acme'', %L)', c.creds), 'WA001', 'p_creds', coalesce(c.creds, 'SQL null'))
from unnest(array[null, 'null', '["S3CRET"]', '1', 'true']) as c (creds);
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}'::jsonb, 'nothing was written');

select * from finish();
rollback;
