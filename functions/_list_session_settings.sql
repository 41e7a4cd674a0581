-- The settings of each kind of session that may call us: a login without settings of its own (login is null), each
-- login that has some, and this session if it set some. As in PostgreSQL the role in the database outranks the role,
-- that the database, that all roles, and that the server. p_settings gives each name its default and its worst value:
-- the worst stands for the server's where a setting of this login hides it.
-- value has one spelling (on, off, 0, -1, lower case), reason says what is set and where, way_out is the command, up
-- to the name, that counts there.
create or replace function _list_session_settings (p_settings jsonb)
returns table (login oid, value jsonb, reason jsonb, way_out jsonb, is_hidden jsonb)
language plpgsql
stable
parallel unsafe
set search_path from current
as $func$
declare
  v_me constant oid := (select r.oid from pg_roles r where r.rolname = session_user);
  v_database constant oid := (select d.oid from pg_database d where d.datname = current_database());
begin
  return query
  with entries as materialized (
    select s.setrole,
           s.setdatabase,
           lower(split_part(c.entry, '=', 1)) as name,
           substr(c.entry, strpos(c.entry, '=') + 1) as value
      from pg_db_role_setting s
     cross join unnest(s.setconfig) c (entry)
     where s.setdatabase in (0, v_database) and p_settings ? lower(split_part(c.entry, '=', 1))
  ), server as materialized (
    select w.name,
           w.ends ->> 0 as usual,
           case when k.is_known then s.setting
                when h.is_hidden then w.ends ->> 1
                when s.source in ('interactive', 'session') then s.reset_val
                else coalesce(case when s.name is null then nullif(current_setting(w.name, true), '') end, w.ends ->> 0)
           end as value,
           h.is_hidden,
           -- Also where somebody has changed what this session began with.
           case when not k.is_known and (s.source in ('client', 'interactive', 'session') or not k.is_mine) then s.setting end as of_session
      from jsonb_each(p_settings) w (name, ends)
      left join pg_settings s on s.name = w.name
     cross join lateral (
       select coalesce(s.source, '') in ('default', 'environment variable', 'command line', 'configuration file') as is_known,
              exists (select from entries e where e.name = w.name and e.setrole in (0, v_me)) as is_mine
     ) k
     cross join lateral (
       select not k.is_known
              and (coalesce(s.source, '') = 'client' or exists (select from entries e where e.name = w.name and e.setrole = v_me))
              as is_hidden
     ) h
  ), sessions as (
    select null::oid as role, false as is_this
     union all
    select r.oid, false
      from pg_roles r
     where r.oid in (select e.setrole from entries e) and r.rolcanlogin
       and (pg_has_role(r.oid, 'auth_state_service', 'MEMBER')
            or pg_has_role(r.oid, 'auth_state_tenant', 'MEMBER')
            or pg_has_role(r.oid, 'auth_state_proxy', 'MEMBER'))
     union all
    select v_me, true
     where exists (select from server s where s.of_session is not null)
  )
  select n.role,
         jsonb_object_agg(s.name, v.plain),
         jsonb_strip_nulls(jsonb_object_agg(s.name, v.reason)),
         jsonb_object_agg(s.name, v.way_out),
         jsonb_object_agg(s.name, v.is_hidden)
    from sessions n
   cross join server s
    left join lateral (
      select e.*
        from entries e
       where e.name = s.name and e.setrole in (0, coalesce(n.role, 0))
       order by e.setrole <> 0 desc, e.setdatabase <> 0 desc
       limit 1
    ) e on true
   cross join lateral (
     select case when n.is_this then s.of_session end as of_session,
            case when e.setrole <> 0 and e.setdatabase <> 0
                 then format('role %I in database %I', pg_get_userbyid(e.setrole), current_database())
                 when e.setrole <> 0 then format('role %I', pg_get_userbyid(e.setrole))
                 else format('database %I', current_database())
            end as altered
   ) o
   cross join lateral (
     select coalesce(o.of_session, e.value, s.value) as value,
            o.of_session is null and e.value is null and s.is_hidden as is_hidden,
            case when o.of_session is not null then 'in this session'
                 when e.setrole = 0 and e.setdatabase = 0 then 'for all roles'
                 when e.name is not null then 'for ' || o.altered
                 else 'for the server'
            end as place
   ) f
   cross join lateral (
     select f.is_hidden,
            case when f.value ~* '^(t|tr|tru|true|y|ye|yes)$' then 'on'
                 when f.value ~* '^(f|fa|fal|fals|false|n|no|of)$' then 'off'
                 when f.value ~ '^ *-[^1-9]*[1-9]' then '-1'
                 when f.value ~* '^ *[+-]?(0+[.]?0*|[.]0+)(e[+-]?[0-9]+)? *([a-z]*b|[mu]?s|min|h|d)?$' then '0'
                 else lower(f.value)
            end as plain,
            case when f.is_hidden
                 then format('%s for the server, which %s hides', s.name,
                             case when s.of_session is null then format('the setting of role %I', session_user) else 'this session' end)
                 when f.value <> s.usual or f.place <> 'for the server' then format('%s = %s %s', s.name, f.value, f.place)
            end as reason,
            case when o.of_session is not null then 'set'
                 else format('alter %s set', o.altered)
            end as way_out
   ) v
   group by n.role, n.is_this;
end
$func$;
