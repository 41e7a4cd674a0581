begin;
select plan(1);

set local role app;
select set_config('test.token', l.token::text, true) from auth_acquire_lease('acme', 'worker-1') as l;
select is_empty(
  $$select * from auth_list_leases() as l where strpos(l::text, current_setting('test.token')) > 0$$, 'whoever has it may write'
);

select * from finish();
rollback;
