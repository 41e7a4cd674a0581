begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select set_config('test.other', l.token::text, true) from auth_acquire_lease('acme', 'worker-2', p_steal => true) as l;
select auth_release_lease('acme', current_setting('test.other')::bigint);
select results_eq(
  $$select l.acquired, l.token, l.holder
    from auth_acquire_lease('acme', 'worker-1', p_token => current_setting('test.token')::bigint) as l$$,
  $$values (false, null::bigint, 'worker-2')$$,
  'though it is over: who held it last is named'
);

select * from finish();
rollback;
