begin;
select plan(8);

create role watcher login in role auth_state_monitor;
select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "advSecretKey": "S3CRET"}', '{"session": {"1.0": "S3CRET"}}');
select auth_acquire_lease('acme', 'worker-1');
set local session authorization watcher;
select results_eq($$select s.company_id, s.keys from auth_stats() as s$$, $$values ('acme', 1::bigint)$$, 'numbers');
select results_eq($$select s.keys from auth_stats('acme') as s$$, $$values (1::bigint)$$, 'of one company');
select results_eq($$select l.holder from auth_list_leases() as l$$, array['worker-1'], 'leases');
select is((select count(*) from auth_list_audit()), 2::bigint, 'the audit log');
select throws_ok('select * from ' || c.call, '42501', null, c.call)
from (values ($$auth_get_creds('acme')$$), ($$auth_export('acme')$$), ($$auth_creds_history('acme')$$), ($$auth_status()$$)) as c (call);

select * from finish();
rollback;
