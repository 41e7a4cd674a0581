-- Of roles that can reach the accounts, or change what the functions do, in a way that nobody granted with that in mind.
create or replace function _warn_of_access ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_owner constant oid := (select r.oid from pg_roles r where r.rolname = 'auth_state_owner');
  v_set constant text := case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end;
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

  return query
  select 'Role auth_state_owner, which can do everything to every account, can log in: alter role auth_state_owner nologin'::text
    from pg_roles r
   where r.oid = v_owner and r.rolcanlogin;

  -- By SET ROLE to somebody who has the owner's rights; ADMIN OPTION alone is not that. Columns of 16 by way of JSON.
  return query
  select format('%s %s can become auth_state_owner, and so read and change every account: revoke %s from %I%s',
                case count(*) when 1 then 'Login' else 'Logins' end,
                string_agg(quote_ident(l.rolname), ', ' order by l.rolname),
                'auth_state_owner',
                pg_get_userbyid(m.member),
                case when v_set = 'SET' then format(' granted by %I', pg_get_userbyid(m.grantor)) else '' end)
    from pg_auth_members m
    join pg_roles l on l.rolcanlogin and not l.rolsuper and pg_has_role(l.oid, m.member, 'MEMBER')
   where m.roleid = v_owner
     and (coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) or (to_jsonb(m) ->> 'inherit_option')::boolean)
     and exists (
       select
         from pg_roles x
        where not x.rolsuper and pg_has_role(x.oid, v_owner, 'USAGE') and pg_has_role(l.oid, x.oid, v_set)
     )
   group by m.member, m.grantor
   order by 1;

  return query
  select format('%s may execute %s of pg-auth-state (%s): install again',
                g.who,
                case count(*) when 1 then '1 function' else count(*) || ' functions' end,
                string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text))
    from pg_proc p
   cross join lateral (
     select 'Everybody' as who
       from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where a.grantee = 0
      union all
     select 'Role anon'
       from pg_roles r
      where r.rolname = 'anon' and has_function_privilege(r.oid, p.oid, 'EXECUTE')
   ) g
   where p.pronamespace = quote_ident(current_schema())::regnamespace and p.proname in (@functions@)
   group by g.who
   order by 1;
end
$func$;
