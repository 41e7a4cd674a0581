begin;
select plan(5);

set local role app;
select auth_save_creds(c.company, jsonb_build_object('noiseKey', 'n', 'signedIdentityKey', 'i', 'n', n))
from (values ('acme'), ('globex')) as c (company)
cross join generate_series(1, 3) as n;
select is(auth_forget_history('acme'), 2::bigint, 'the earlier ones');
select is((select count(*) from auth_creds_history('acme')), 0::bigint, 'are gone');
select is(auth_get_creds('acme'), '{"noiseKey": "n", "signedIdentityKey": "i", "n": 3}'::jsonb, 'the present ones stay');
select is((select count(*) from auth_creds_history('globex')), 2::bigint, 'and those of other companies');
reset role;
select results_eq(
  $$select a.company_id = 'acme', a.rows from whatsapp_audit as a where a.action = 'history_forgotten'$$,
  $$values (true, 2::bigint)$$,
  'it is logged'
);

select * from finish();
rollback;
