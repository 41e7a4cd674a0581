begin;
select plan(3);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select count(l.token)
from generate_series(1, 150) as i
cross join auth_acquire_lease('acme', 'worker-' || i, p_steal => true) as l;
select auth_delete_company('acme', l.token) from auth_acquire_lease('acme', 'worker-151', p_steal => true) as l;
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select * from auth_acquire_lease('globex', 'worker-1');
select isnt_empty($$select * from auth_list_audit('acme') as a where a.action = 'creds_created'$$, 'another action has its row');
select is((select count(*) from auth_list_audit('globex')), 1::bigint, 'another company too');
select auth_configure('history_versions', i::text) from generate_series(6, 205) as i;
select results_eq(
  $$select count(*) from auth_list_audit() as a where a.action = 'configured'$$,
  array[200::bigint], 'what concerns all companies is the service''s'
);

select * from finish();
rollback;
