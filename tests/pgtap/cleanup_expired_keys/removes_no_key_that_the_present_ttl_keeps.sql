-- A row that a writer held while its ttl was changed bears the expiry of before.
begin;
select plan(2);

select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}, "lid-mapping-reverse": {"118": "962302"}}');
select auth_set_ttl('lid-mapping', '90 days');
select auth_set_ttl('lid-mapping-reverse', null);
update whatsapp_keys set expires_at = updated_at + interval '7 days';
select set_config('auth_state.now', '2026-03-20 12:00:00Z', true);

select is(cleanup_expired_keys(p_dry_run => true), 0::bigint, 'a dry run');
select is(cleanup_expired_keys(), 0::bigint, 'a longer one, or none');

select * from finish();
rollback;
