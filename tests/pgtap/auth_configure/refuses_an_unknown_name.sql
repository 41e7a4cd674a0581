begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select pg_temp.refuses(format('select auth_configure(%L, %L)', s.name, '5'), 'WA001', 'p_name is ', coalesce(s.name, 'null'))
from unnest(array[null, '', 'LOCK_WAIT', 'auth_state.lock_wait', 'now']) as s (name);

select * from finish();
rollback;
