begin;
select plan(3);

set local role app;
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118"}}');
select is(auth_set_ttl('lid-mapping', null), 1::bigint, 'one row follows');
select auth_set_keys('acme', '{"lid-mapping": {"962303": "119"}}');
select is_empty($$select * from auth_list_keys('acme', 'lid-mapping') where expires_at is not null$$, 'no key expires, old or new');
select auth_set_keys('acme', '{"lid-mapping": {"962303": "119"}}');
select is(cleanup_expired_keys(), 0::bigint, 'cleanup leaves them');

select * from finish();
rollback;
