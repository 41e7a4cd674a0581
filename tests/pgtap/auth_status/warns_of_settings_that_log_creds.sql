begin;
select plan(10);

select unalike(auth_status() ->> 'warnings', '%creds%', 'none');
set local log_statement = 'mod';
select unalike(auth_status() ->> 'warnings', '%creds%', 'a call of ours is no modifying statement');
set local log_statement = 'all';
select alike(
  auth_status() ->> 'warnings',
  '%PostgreSQL prints parameters of statements, creds among them, because of log_statement = all in this session: %',
  'log_statement'
);
set local log_parameter_max_length = 0;
select unalike(auth_status() ->> 'warnings', '%creds%', 'log_statement without parameters');
set local log_parameter_max_length_on_error = -1;
select alike(
  auth_status() ->> 'warnings',
  '%creds among them, because of log_parameter_max_length_on_error = -1 in this session: set log_parameter_max_length_on_error = 0%',
  'log_parameter_max_length_on_error'
);
set local log_parameter_max_length_on_error = 0;
set local debug_print_plan = on;
select alike(
  auth_status() ->> 'warnings',
  '%prints values as decimal bytes, creds among them, because of debug_print_plan = on in this session: set debug_print_plan = off%',
  'debug_print_plan'
);
set local debug_print_plan = off;
select set_config('auto_explain.log_min_duration', '0', true);
select set_config('auto_explain.log_verbose', 'on', true);
select alike(auth_status() ->> 'warnings', '%auto_explain, where it is loaded, prints values in plans%', 'auto_explain');
select set_config('auto_explain.log_min_duration', '-1', true);
select unalike(auth_status() ->> 'warnings', '%creds%', 'auto_explain that explains nothing');
select set_config('pgaudit.log', 'read', true);
select set_config('pgaudit.log_parameter', 'on', true);
select alike(auth_status() ->> 'warnings', '%pgaudit, where it is loaded, prints parameters of statements%', 'pgaudit');
select set_config('pgaudit.log_parameter', 'off', true);
select unalike(auth_status() ->> 'warnings', '%creds%', 'pgaudit without parameters');

select * from finish();
rollback;
