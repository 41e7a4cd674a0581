begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": 1}}');
select auth_import('globex', auth_export('acme'));
select is(auth_export('globex'), auth_export('acme'), 'a second export is equal');

select * from finish();
rollback;
