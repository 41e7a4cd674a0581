begin;
select plan(6);

set local role app;
select lives_ok(format('select auth_set_ttl(%L, ''90 days'')', t.type), t.type)
from unnest(array['device-list', 'sender-key-memory', 'app-state-sync-version', 'identity-key', 'tctoken', 'of the future']) as t (type);

select * from finish();
rollback;
