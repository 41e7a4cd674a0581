begin;
select plan(3);

set local role app;
select auth_init_creds('acme', '{"noiseKey": "a", "signedIdentityKey": "i"}');
select set_config('test.version', auth_creds_version('acme')::text, true);

select is(
  auth_init_creds('acme', '{"noiseKey": "b", "signedIdentityKey": "i"}'), '{"noiseKey": "a", "signedIdentityKey": "i"}'::jsonb,
  'the loser gets the winner''s'
);
select is(auth_get_creds('acme'), '{"noiseKey": "a", "signedIdentityKey": "i"}'::jsonb, 'they stay');
select is(auth_creds_version('acme'), current_setting('test.version')::bigint, 'at their version');

select * from finish();
rollback;
