begin;
select plan(1);

create role bound_bot;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_bind_role('bound_bot', 'acme');
select auth_bind_role('bound_bot', 'acme');
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_unbind_role('bound_bot');
select results_eq(
  $$select a.company_id, a.action, a.details from auth_list_audit() as a$$,
  $$values ('acme', 'role_unbound', '{"role": "bound_bot"}'::jsonb), ('acme', 'role_bound', '{"role": "bound_bot"}')$$,
  'by name'
);

select * from finish();
rollback;
