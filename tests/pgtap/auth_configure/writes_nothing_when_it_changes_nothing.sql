begin;
select plan(3);

select auth_configure('lock_wait', '1s');
select set_config('test.row', s.ctid::text || s.xmin::text, true) from whatsapp_settings as s;
set local role app;
select is(auth_configure('lock_wait', '1s'), '1s', 'the value that is kept');
select auth_configure('history_versions', null);
reset role;
select is((select s.ctid::text || s.xmin::text from whatsapp_settings as s), current_setting('test.row'), 'no row');
select results_eq(
  $$select a.details ->> 'to' from whatsapp_audit as a where a.action = 'configured'$$, array['1s'], 'no event'
);

select * from finish();
rollback;
