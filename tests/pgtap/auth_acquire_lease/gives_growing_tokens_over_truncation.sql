begin;
select plan(1);

select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
truncate whatsapp_auth, whatsapp_keys, whatsapp_leases;

select ok(
  (select l.token > current_setting('test.token')::bigint from auth_acquire_lease('acme', 'worker-1') as l),
  'a token from before never comes back'
);

select * from finish();
rollback;
