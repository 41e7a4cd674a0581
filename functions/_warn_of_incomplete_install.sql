-- Of what is not as an install leaves it: a restore without owners, or of some tables only, and a database that
-- cannot hold the values.
create or replace function _warn_of_incomplete_install ()
returns setof text
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_schema constant oid := (select n.oid from pg_namespace n where n.nspname = current_schema());
  v_owner constant oid := (select r.oid from pg_roles r where r.rolname = 'auth_state_owner');
begin
  return query
  select format('Functions of pg-auth-state belong to %I and run with its rights: drop routine %s cascade; then install again',
                pg_get_userbyid(p.proowner), string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text))
    from pg_proc p
   where p.pronamespace = v_schema and p.proname in (@functions@) and p.proowner <> v_owner
   group by p.proowner
   order by 1;

  return query
  select format('Functions of pg-auth-state are missing (%s): install again', string_agg(w.name, ', ' order by w.name))
    from unnest(array[@functions@]) w (name)
   where not exists (select from pg_proc p where p.pronamespace = v_schema and p.proname = w.name)
  having count(*) > 0;

  return query
  select format('Table %s %s: install again', w.name, f.fault)
    from unnest(array[@tables@]) w (name)
    left join pg_class c on c.relnamespace = v_schema and c.relname = w.name
   cross join lateral (
     select 'is missing' as fault
      where c.oid is null
      union all
     select format('belongs to %I, not to auth_state_owner', pg_get_userbyid(c.relowner))
      where c.relowner <> v_owner
      union all
     select 'has no forced row-level security'
      where not (c.relrowsecurity and c.relforcerowsecurity)
      union all
     select format('lacks row-level security policies (%s)', string_agg(n.name, ', ' order by n.name))
       from unnest(array[@policies@]) p (path)
      cross join lateral (select split_part(p.path, '.', 2) as name) n
      where split_part(p.path, '.', 1) = w.name and c.oid is not null
        and not exists (select from pg_policy y where y.polrelid = c.oid and y.polname = n.name)
     having count(*) > 0
      union all
     select format('has row-level security policies of somebody else (%s)', string_agg(quote_ident(y.polname), ', ' order by y.polname))
       from pg_policy y
      where y.polrelid = c.oid and w.name || '.' || y.polname <> all (array[@policies@])
     having count(*) > 0
   ) f
   order by 1;

  if getdatabaseencoding() <> 'UTF8' then
    return next format('Names of WhatsApp do not fit into this database, which is %s: create database ... encoding ''UTF8'' template template0, '
                       'and move the accounts there', getdatabaseencoding());
  end if;
end
$func$;
