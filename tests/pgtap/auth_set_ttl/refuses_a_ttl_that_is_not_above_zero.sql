begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_set_ttl('device-list', '0')$$, 'WA001', 'p_ttl', 'zero');
select pg_temp.refuses($$select auth_set_ttl('device-list', '-1 day')$$, 'WA001', 'p_ttl', 'below zero');
select pg_temp.refuses($$select auth_set_ttl('device-list', '300000 years')$$, 'WA001', 'p_ttl', 'beyond the calendar');

select * from finish();
rollback;
