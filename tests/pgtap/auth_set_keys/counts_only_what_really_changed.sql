begin;
select plan(1);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": "a", "2.0": "b"}}');
select is(auth_set_keys('acme', '{"session": {"1.0": "a", "2.0": "c", "3.0": "d", "4.0": null}}'), 2, 'one replaced, one new');

select * from finish();
rollback;
