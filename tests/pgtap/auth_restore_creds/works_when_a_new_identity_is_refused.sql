begin;
-- It is the way back.
\ir ../refuses.psql
select plan(4);

set local role app;
select count(auth_save_creds('acme', jsonb_build_object('noiseKey', i, 'signedIdentityKey', i, 'account', 1), p_allow_new_identity => true))
from generate_series(1, 101) as i;
select pg_temp.refuses(
  $$select auth_save_creds('acme', '{"noiseKey": "S3CRET", "signedIdentityKey": "i"}', p_allow_new_identity => true)$$, 'WA006', '30 days',
  'another identity'
);
select lives_ok(
  $$select auth_restore_creds('acme', (select min(h.version) from auth_creds_history('acme') as h))$$, 'the oldest creds are brought back'
);
select is(auth_get_creds('acme') ->> 'noiseKey', '1', 'they are the present ones');
select lives_ok(
  $$select auth_restore_creds('acme', (select max(h.version) from auth_creds_history('acme') as h))$$, 'and those they replaced, again'
);

select * from finish();
rollback;
