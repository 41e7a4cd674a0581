begin;
select plan(3);

select auth_save_state('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "a": 1}', '{"session": {"1.0": 1}, "pre-key": {"7": 3}}');
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;

select is(auth_delete_company('acme', current_setting('test.token')::bigint), 3::bigint, 'one row of creds, two of keys');
select is_empty('select * from auth_list_companies()', 'the company is gone');
select is_empty(
  $$
    select 1 from whatsapp_auth
    union all
    select 1 from whatsapp_keys
    union all
    select 1 from whatsapp_leases
  $$,
  'with everything'
);

select * from finish();
rollback;
