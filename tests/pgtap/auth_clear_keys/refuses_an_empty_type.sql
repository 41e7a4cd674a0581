begin;
\ir ../refuses.psql
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select pg_temp.refuses($$select auth_clear_keys('acme', '')$$, 'WA001', 'p_key_type', 'an empty text is not null, which means all');
select is(auth_get_keys('acme', 'session', '{1.0}')::jsonb, '{"1.0": 1}'::jsonb, 'nothing was deleted');

select * from finish();
rollback;
