begin;
select plan(5);

set local log_statement = 'none';
set local log_min_duration_statement = -1;
select unalike(auth_status() ->> 'warnings', '%creds%', 'none');
set local log_statement = 'mod';
select alike(auth_status() ->> 'warnings', '%log_parameter_max_length = 0%', 'log_statement');
set local log_parameter_max_length = 0;
select unalike(auth_status() ->> 'warnings', '%creds%', 'log_statement without parameters');
set local log_parameter_max_length_on_error = -1;
select alike(auth_status() ->> 'warnings', '%log_parameter_max_length_on_error = 0%', 'log_parameter_max_length_on_error');
select set_config('auto_explain.log_min_duration', '0', true);
select set_config('auto_explain.log_parameter_max_length', '-1', true);
select alike(auth_status() ->> 'warnings', '%auto_explain%', 'auto_explain');

select * from finish();
rollback;
