begin;
\ir ../refuses.psql
select plan(5);

set local role app;
select pg_temp.refuses(
  $$select auth_get_keys('acme', '{"session": ["1.0", ""]}')$$, 'WA001', 'p_keys["session"][1]', 'empty, of several types'
);
select pg_temp.refuses($$select auth_get_keys('acme', 'session', array['1.0', ''])$$, 'WA001', 'p_key_ids[2]', 'empty, of one type');
select pg_temp.refuses($$select auth_get_keys('acme', 'session', array['1.0', null])$$, 'WA001', 'p_key_ids[2]', 'null');
select pg_temp.refuses($$select auth_get_keys('acme', 'session', array[null]::text[])$$, 'WA001', 'p_key_ids[1]', 'null alone');
select pg_temp.refuses($$select auth_get_keys('acme', 'session', null)$$, 'WA001', 'p_key_ids', 'no array');

select * from finish();
rollback;
