begin;
select plan(1);

set local role app;
select set_config('auth_state.on_behalf_of', repeat('x', 300), true);
select auth_save_creds('acme', '{"noiseKey": "n", "signedIdentityKey": "i"}');
select is((select length(a.on_behalf_of) from auth_list_audit('acme') as a), 256, 'at 256 characters');

select * from finish();
rollback;
