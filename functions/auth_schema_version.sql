create or replace function auth_schema_version ()
returns text
language sql
immutable
parallel safe
security definer
set search_path from current
as $func$
  select '@version@'
$func$;

comment on function auth_schema_version () is $$
The version of pg-auth-state that is installed, like 0.1.0.
$$;
