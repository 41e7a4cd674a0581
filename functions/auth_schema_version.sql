create or replace function auth_schema_version ()
returns text
language plpgsql
stable
parallel unsafe
security definer
set search_path from current
as $func$
begin
  perform _assert_session();
  return '@version@';
end
$func$;

comment on function auth_schema_version () is $$
The version of pg-auth-state that is installed, like 0.1.0.

Errors: WA006 after a restore without owners. Locks: none; works on a read replica.
$$;
