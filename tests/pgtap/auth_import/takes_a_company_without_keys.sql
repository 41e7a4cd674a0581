begin;
select plan(1);

set local role app;
select auth_save_creds('acme', '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"');
select auth_import('globex', auth_export('acme'));
select is(auth_export('globex'), auth_export('acme'), 'a second export is equal');

select * from finish();
rollback;
