begin;
select plan(9);

create function pg_temp.grants(p_statement text) returns void language plpgsql as $$
begin
  if current_setting('server_version_num')::integer >= 160000 then
    execute p_statement;
  end if;
end
$$;
create function pg_temp.followed() returns void language plpgsql as $$
declare
  v_warning text;
begin
  for v_warning in select * from jsonb_array_elements_text(auth_status() -> 'warnings') loop
    if v_warning like '%become auth_state_owner%' then
      execute regexp_replace(v_warning, '.*: ', '');
    end if;
  end loop;
end
$$;

select unalike(auth_status() ->> 'warnings', '%auth_state_owner%', 'nobody');
create role dumper login noinherit;
create role operators;
create role "Ann" login;
create role boss login superuser;
grant auth_state_owner to boss;
grant operators to "Ann";
select unalike(auth_status() ->> 'warnings', '%auth_state_owner%', 'a superuser can anyway');
grant auth_state_owner to dumper;
select alike(
  auth_status() ->> 'warnings',
  '%Login dumper can become auth_state_owner, and so read and change every account: revoke auth_state_owner from dumper%',
  'by a grant of its own'
);
grant auth_state_owner to operators;
select alike(
  auth_status() ->> 'warnings',
  '%Login \\"Ann\\" can become auth_state_owner%: revoke auth_state_owner from operators%', 'through a group'
);
select pg_temp.followed();
select unalike(auth_status() ->> 'warnings', '%auth_state_owner%', 'the way out');

select pg_temp.grants('grant auth_state_owner to dumper with admin true, inherit false, set false');
select unalike(auth_status() ->> 'warnings', '%auth_state_owner%', 'ADMIN OPTION alone');
select pg_temp.grants('grant auth_state_owner to operators with inherit true, set false');
select pg_temp.grants('revoke operators from "Ann"; grant operators to "Ann" with inherit false, set true');
select is(
  auth_status() ->> 'warnings' like '%Login \\"Ann\\" can become%',
  current_setting('server_version_num')::integer >= 160000,
  'by SET ROLE to a group that has the rights of the owner'
);
select pg_temp.grants('revoke operators from "Ann"; grant operators to "Ann" with inherit true, set false');
select pg_temp.grants('revoke auth_state_owner from operators; grant auth_state_owner to operators with inherit false, set true');
select unalike(auth_status() ->> 'warnings', '%can become auth_state_owner%', 'a group that could, to which it cannot switch');
alter role auth_state_owner login;
select alike(
  auth_status() ->> 'warnings',
  '%auth_state_owner, which can do everything to every account, can log in: alter role auth_state_owner nologin%', 'itself'
);

select * from finish();
rollback;
