-- Of roles that can change what the functions do.
create or replace function _warn_of_access ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_owner constant oid := (select r.oid from pg_roles r where r.rolname = 'auth_state_owner');
begin
  return query
  select format('%s may create objects in schema %I, and so change what the functions do: revoke create on schema %2$I from %s',
                case when a.grantee = 0 then 'Everybody' else format('Role %I', pg_get_userbyid(a.grantee)) end,
                n.nspname,
                case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
    from pg_namespace n
   cross join aclexplode(n.nspacl) a
    left join pg_roles r on r.oid = a.grantee
   where n.nspname = current_schema() and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
     and r.rolsuper is not true and a.grantee <> v_owner;
end
$func$;
