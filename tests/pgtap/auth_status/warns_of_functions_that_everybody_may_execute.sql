begin;
select plan(5);

create role someone;
select unalike(auth_status() ->> 'warnings', '%may execute%', 'none');
grant execute on function auth_get_creds (text) to someone;
select unalike(auth_status() ->> 'warnings', '%may execute%', 'a grant to a role is somebody''s decision');
grant execute on function _now () to public;
grant execute on function auth_status () to public;
select alike(
  auth_status() ->> 'warnings',
  '%Everybody may execute 2 functions of pg-auth-state (_now(), auth_status()): install again%', 'public'
);
revoke execute on function _now () from public;
revoke execute on function auth_status () from public;
do $$ begin create role anon; exception when duplicate_object then null; end $$;
select unalike(auth_status() ->> 'warnings', '%anon%', 'anon');
grant execute on function auth_get_creds (text) to anon;
select alike(
  auth_status() ->> 'warnings',
  '%Role anon may execute 1 function of pg-auth-state (auth_get_creds(text)): install again%', 'a grant to it'
);

select * from finish();
rollback;
