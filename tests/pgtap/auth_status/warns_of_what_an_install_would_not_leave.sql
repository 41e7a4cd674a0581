begin;
select plan(11);

create function pg_temp.warned(p_pattern text, p_what text) returns text language plpgsql as $$
begin
  return alike(auth_status() ->> 'warnings', p_pattern, p_what);
end
$$;

create role restorer;
grant create on schema public to restorer;
select unalike(auth_status() ->> 'warnings', '%install again%', 'nothing');
alter function auth_set_keys (text, jsonb, bigint) owner to restorer;
alter function auth_get_creds (text) owner to restorer;
select pg_temp.warned(
  '%Functions of pg-auth-state belong to restorer and run with its rights: '
  'drop routine auth_get_creds(text), auth_set_keys(text,jsonb,bigint) cascade; then install again%',
  'functions of somebody else'
);
drop function auth_get_creds (text), auth_set_keys (text, jsonb, bigint);
select pg_temp.warned(
  '%Functions of pg-auth-state are missing (auth_get_creds, auth_set_keys): install again%', 'functions that are not there'
);
alter table whatsapp_audit owner to restorer;
select pg_temp.warned('%Table whatsapp_audit belongs to restorer, not to auth_state_owner: install again%', 'a table of somebody else');
alter table whatsapp_leases no force row level security;
select pg_temp.warned('%Table whatsapp_leases has no forced row-level security: install again%', 'row-level security that is not forced');
alter table whatsapp_leases force row level security, disable row level security;
select pg_temp.warned('%Table whatsapp_leases has no forced row-level security: install again%', 'or not enabled');
drop policy company on whatsapp_leases;
drop policy no_monitor_deletes on whatsapp_leases;
select pg_temp.warned(
  '%Table whatsapp_leases lacks row-level security policies (company, no_monitor_deletes): install again%', 'policies'
);
create policy "all" on whatsapp_auth using (true);
select pg_temp.warned(
  '%Table whatsapp_auth has row-level security policies of somebody else (\\"all\\"): install again%', 'policies of somebody'
);
drop table whatsapp_auth_history;
select pg_temp.warned('%Table whatsapp_auth_history is missing: install again%', 'a table that is not there');
create table whatsapp_messages (body text);
select unalike(auth_status() ->> 'warnings', '%whatsapp_messages%', 'a table of yours is yours');
select unalike(auth_status() ->> 'warnings', '%whatsapp_keys %', 'what is as installed is not named');

select * from finish();
rollback;
