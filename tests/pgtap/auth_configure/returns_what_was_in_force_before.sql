begin;
select plan(4);

set local role app;
select is(auth_configure('history_versions', '7'), '5', 'the default');
select is(auth_configure('history_versions', '8'), '7', 'a value that was kept');
select is(auth_configure('history_versions', null), '8', 'also when it goes back to the default');
select is(auth_configure('history_versions', null), '5', 'which is in force again');

select * from finish();
rollback;
