begin;
select plan(1);

set local role app;
select set_config('auth_state.now', '2026-03-01 12:00:00Z', true);
select auth_set_keys('acme', '{"lid-mapping": {"962302": "118", "118_reverse": "962302"}}');
select set_config('auth_state.now', '2026-03-02 12:00:00Z', true);
select auth_set_ttl('device-list', '7 days');
select auth_set_keys('acme', '{"device-list": {"962302": ["0"]}}');
select auth_set_keys('globex', '{"device-list": {"962302": ["0"]}}');
select set_config('auth_state.now', '2026-04-01 12:00:00Z', true);

do $$
begin
  while cleanup_expired_keys(1) > 0 loop
  end loop;
end
$$;
select is_empty(
  $$
    select c.company_id
    from auth_list_companies() as c
    cross join lateral auth_list_keys(c.company_id, 'device-list')
  $$,
  'a batch of one removes whatever is one'
);

select * from finish();
rollback;
