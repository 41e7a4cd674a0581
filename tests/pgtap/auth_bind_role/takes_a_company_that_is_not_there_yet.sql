begin;
select plan(1);

create role bound_bot login;
set local role app;
select auth_bind_role('bound_bot', 'acme');
set local role bound_bot;
select is(
  auth_init_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'),
  '{"noiseKey": "n", "signedIdentityKey": "i", "n": 1}'::jsonb, 'the tenant begins it'
);

select * from finish();
rollback;
