begin;
select plan(2);

set local role app;
select auth_save_state(
  'acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1, "2.0": 2}, "pre-key": {"7": 3}}'
);
select is(auth_clear_keys('acme'), 3::bigint, 'three of them');
select results_eq(
  'select company_id, keys from auth_list_companies()', $$values ('acme', 0::bigint)$$, 'the company stays, with its creds'
);

select * from finish();
rollback;
