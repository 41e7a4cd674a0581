begin;
select plan(2);

set local role app;
select auth_set_keys('acme', '{"session": {"1.0": "a"}}');
select is(auth_set_keys('acme', '{"session": {"2.0": null}, "pre-key": {"7": null}}'), 0, 'nothing changed');
select is(auth_set_keys('acme', '{"session": {"1.0": null, "2.0": null}}'), 1, 'only what was there is counted');

select * from finish();
rollback;
