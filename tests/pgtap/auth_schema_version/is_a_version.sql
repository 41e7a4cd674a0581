begin;
select plan(1);

set local role app;
select matches(auth_schema_version(), '^\d+\.\d+\.\d+$', 'like 0.1.0');

select * from finish();
rollback;
