begin;
select plan(1);

create role bound_bot login noinherit;
set local role app;
select auth_bind_role('bound_bot', 'acme');
select is(
  pg_has_role('bound_bot', 'auth_state_tenant', 'USAGE'),
  current_setting('server_version_num')::integer >= 160000,
  'before that it sets the role auth_state_tenant'
);

select * from finish();
rollback;
