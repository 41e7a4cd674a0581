begin;
select plan(2);

set local synchronous_commit = on;
select unalike(auth_status() ->> 'warnings', '%synchronous_commit%', 'none');
set local synchronous_commit = off;
select alike(auth_status() ->> 'warnings', '%synchronous_commit%', 'synchronous_commit');

select * from finish();
rollback;
