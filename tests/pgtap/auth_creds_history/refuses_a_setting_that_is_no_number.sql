begin;
\ir ../refuses.psql
select plan(3);

set local role app;
select auth_save_creds('acme', '{"n": 1}');
select set_config('auth_state.history_versions', 'S3CRET', true);
select pg_temp.refuses($$select auth_save_creds('acme', '{"n": 2}')$$, 'WA001', 'auth_state.history_versions', 'no number');
select set_config('auth_state.history_versions', '0', true);
select pg_temp.refuses($$select auth_save_creds('acme', '{"n": 2}')$$, 'WA001', 'auth_state.history_versions', 'none');
select set_config('auth_state.history_versions', '1000', true);
select pg_temp.refuses($$select auth_save_creds('acme', '{"n": 2}')$$, 'WA001', 'auth_state.history_versions', 'too many');

select * from finish();
rollback;
