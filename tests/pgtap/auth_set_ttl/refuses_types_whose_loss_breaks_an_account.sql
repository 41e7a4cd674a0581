begin;
\ir ../refuses.psql
select plan(6);

set local role app;
select pg_temp.refuses(format('select auth_set_ttl(%L, ''90 days'')', t.type), 'WA006', null, t.type)
from unnest(array['creds', 'app-state-sync-key', 'pre-key', 'session', 'sender-key']) as t (type);
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select results_eq($$select expires_at from auth_list_keys('acme', 'session')$$, array[null::timestamptz], 'nothing was written');

select * from finish();
rollback;
