begin;
select plan(8);

create role "Bot" login;
create role colleague nologin;
create role nobody login;
create function pg_temp.alter_database(p_what text) returns void language plpgsql as $$
begin
  execute replace(p_what, ':db', quote_ident(current_database()));
end
$$;
create function pg_temp.warned(p_pattern text, p_what text) returns text language plpgsql as $$
begin
  return alike(auth_status() ->> 'warnings', replace(p_pattern, ':db', current_database()), p_what);
end
$$;

alter role "Bot" set log_statement = 'all';
alter role colleague set log_statement = 'all';
alter role nobody set log_statement = 'all';
select unalike(auth_status() ->> 'warnings', '%log_statement%', 'nobody of these may call a function');
grant auth_state_service to colleague;
select unalike(auth_status() ->> 'warnings', '%log_statement%', 'a setting of a group is nobody''s');
grant colleague to "Bot";
set local role app;
select pg_temp.warned(
  '%because of log_statement = all for role \\"Bot\\": alter database :db set log_parameter_max_length = 0%',
  'another login than the one that asks'
);
reset role;
select pg_temp.alter_database('alter role "Bot" in database :db set log_parameter_max_length = 100');
select pg_temp.warned(
  '%log_statement = all for role \\"Bot\\": alter role \\"Bot\\" in database :db set log_parameter_max_length = 0%',
  'the way out is where it counts'
);
select pg_temp.alter_database('alter role "Bot" in database :db reset log_parameter_max_length');
select pg_temp.alter_database('alter database :db set log_parameter_max_length = 0');
select unalike(auth_status() ->> 'warnings', '%creds%', 'it is followed');
alter role "Bot" reset log_statement;
select pg_temp.alter_database('alter database :db reset log_parameter_max_length');
select pg_temp.alter_database('alter database :db set log_min_duration_statement = ''250ms''');
select pg_temp.warned('%because of log_min_duration_statement = 250ms for database :db: alter database :db set%', 'the database');
select pg_temp.alter_database('alter database :db reset log_min_duration_statement');
alter role all set log_transaction_sample_rate = 0.5;
select pg_temp.warned('%because of log_transaction_sample_rate = 0.5 for all roles: alter database :db set%', 'everybody');
select pg_temp.alter_database('alter database :db set log_transaction_sample_rate = 0');
select unalike(auth_status() ->> 'warnings', '%creds%', 'the database outranks everybody');

select * from finish();
rollback;
