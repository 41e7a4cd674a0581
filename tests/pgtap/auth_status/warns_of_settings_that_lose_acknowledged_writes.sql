begin;
select plan(6);

set local synchronous_commit = on;
select unalike(auth_status() ->> 'warnings', '%synchronous_commit%', 'none');
set local synchronous_commit = off;
select alike(
  auth_status() ->> 'warnings',
  '%A crash of the server may lose writes that were acknowledged, because of '
  'synchronous_commit = off in this session: set synchronous_commit = on%',
  'this session'
);
set local synchronous_commit = local;
select unalike(auth_status() ->> 'warnings', '%synchronous_commit%', 'local loses nothing where there is no standby');
reset synchronous_commit;
create role hasty login;
alter role hasty set synchronous_commit = 'false';
select unalike(auth_status() ->> 'warnings', '%synchronous_commit%', 'a role that may call nothing');
grant auth_state_tenant to hasty;
select alike(
  auth_status() ->> 'warnings',
  '%because of synchronous_commit = false for role hasty: alter role hasty set synchronous_commit = on%',
  'a role that may'
);
alter role hasty set synchronous_commit = 'remote_write';
select unalike(auth_status() ->> 'warnings', '%synchronous_commit%', 'one that waits');

select * from finish();
rollback;
