begin;
select plan(3);

select auth_save_creds(c.id, '{"noiseKey": "n", "signedIdentityKey": "i"}')
from (select set_config('auth_state.now', '2026-03-01 12:00:00Z', true)) as s cross join (values ('a'), ('b'), ('c')) as c (id);
select set_config('auth_state.now', '2026-03-01 12:00:01Z', true);
select auth_save_creds('d', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select set_config('auth_state.now', '', true);
select results_eq($$select a.company_id from auth_list_audit(p_limit => 1) as a$$, array['d'], 'newest first');
select is((select count(*) from auth_list_audit(p_limit => 2)), 4::bigint, 'three at the same instant come together');
select is(
  (select count(*) from auth_list_audit(p_before => '2026-03-01 12:00:01Z', p_limit => 1)), 3::bigint, 'the next page'
);

select * from finish();
rollback;
