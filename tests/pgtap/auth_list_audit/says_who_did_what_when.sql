begin;
select plan(1);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
set local application_name = 'bot';
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}');
select results_eq(
  $$
    select a.at, a.company_id, a.action, a.login, a.role, a.application_name, a.holder, a.rows
    from auth_list_audit() as a
  $$,
  $$
    values
    (
      timestamptz '2026-03-01 12:00:00Z', 'acme', 'creds_created', 'postgres'::name, 'postgres'::name, 'bot', null::text, 1::bigint
    )
  $$,
  'login, role, application, rows'
);

select * from finish();
rollback;
