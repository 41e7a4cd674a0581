begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select pg_temp.refuses($$select auth_set_keys('acme', '{"": {"1.0": "S3CRET"}}')$$, 'WA001', 'p_data[""]', 'an empty type');
select pg_temp.refuses($$select auth_set_keys('acme', '{"session": {"": "S3CRET"}}')$$, 'WA001', 'p_data["session"][""]', 'an empty id');
select pg_temp.refuses($$select auth_set_keys('acme', '{"session": {"": null}}')$$, 'WA001', 'p_data["session"][""]', 'to delete, too');

select * from finish();
rollback;
